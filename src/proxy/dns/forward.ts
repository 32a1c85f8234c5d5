import type { Address } from '../../core/address.ts'
import { namedPackets } from '../../core/datagrams/named-packets.ts'
import type { PacketDialer } from '../../core/datagrams/packet.ts'
import type { Dialer } from '../../core/dialer.ts'
import type { Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Resolve } from '../../core/ground.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { Session } from '../../core/session.ts'
import { deadline } from '../../core/time/deadline.ts'
import { framed, MessageReader } from '../../protocol/dns/message.ts'

export interface ForwardDeps {
  readonly dialer: Dialer
  readonly udp: PacketDialer
  readonly resolve: Resolve
  readonly clock: Clock
}

/** How long a message that is passed on waits for its answer, ms. */
const waitMs = 4_000

/** Passes one message on and waits for what comes back. Undefined: nothing came. Never rejects. */
export async function forward(
  message: Uint8Array,
  to: Address,
  network: 'tcp' | 'udp',
  { dialer, udp, resolve, clock }: ForwardDeps,
  session: Session | undefined,
  over: Lifetime,
): Promise<Uint8Array | undefined> {
  const limit = deadline(clock, waitMs, () => new ProxyError('DNS_FAILED', 'no answer in time'), over)
  const { until } = limit
  const options = { until, ...(session && { session }) }
  try {
    return network === 'tcp' ? await overStream() : await overDatagrams()
  } catch {
    return undefined
  } finally {
    limit.done()
  }

  async function overStream(): Promise<Uint8Array | undefined> {
    const conn = await dialer.dial(to, options)
    const leave = until.onGone((why) => conn.destroy(why))
    try {
      await conn.write(framed(message))
      const reader = new MessageReader()
      for (let bytes = await conn.read(); bytes; bytes = await conn.read()) {
        reader.push(bytes)
        const answer = reader.next()
        if (answer) return answer
      }
      return undefined
    } finally {
      leave()
      conn.destroy()
    }
  }

  async function overDatagrams(): Promise<Uint8Array | undefined> {
    const base = await udp.open({ ...options, first: to })
    const conn = namedPackets(base, async (name) => (await resolve(name, 0, until))[0]!)
    const leave = until.onGone((why) => conn.destroy(why))
    try {
      return await new Promise<Uint8Array | undefined>((resolveWith, reject) => {
        const isAnswer = (bytes: Uint8Array) => bytes[0] === message[0] && bytes[1] === message[1]
        conn
          .drainTo((lent) => {
            if (isAnswer(lent)) resolveWith(new Uint8Array(lent))
          })
          .then(() => resolveWith(undefined), reject)
        conn.send(message, to)
      })
    } finally {
      leave()
      conn.destroy()
    }
  }
}
