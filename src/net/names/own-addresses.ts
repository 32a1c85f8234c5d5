import { networkInterfaces } from 'node:os'
import { isLoopback } from '../../core/address.ts'
import type { Clock } from '../../core/env.ts'

/** Interfaces come and go; they are looked at anew after so many ms. */
const freshMs = 5_000

/** Hosts whose answer is remembered for as long. */
const hostsMax = 1_024

/** Says of an IP address whether datagrams to it end on this machine. Asked for every datagram, so it remembers. */
export function ownAddresses(clock: Pick<Clock, 'elapsed'>): (host: string) => boolean {
  const answers = new Map<string, boolean>()
  let interfaces = new Set<string>()
  let readAt = Number.NEGATIVE_INFINITY
  // The unspecified address leads to this machine, too.
  const look = (host: string): boolean =>
    host === '0.0.0.0' || host === '::' || isLoopback({ host, port: 0 }) || interfaces.has(host)
  return (host) => {
    const now = clock.elapsed()
    if (now - readAt >= freshMs) {
      readAt = now
      interfaces = new Set(
        Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []),
      )
      answers.clear()
    }
    let own = answers.get(host)
    if (own === undefined) {
      own = look(host)
      if (answers.size >= hostsMax) answers.clear()
      answers.set(host, own)
    }
    return own
  }
}
