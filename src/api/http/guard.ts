/** Who may speak to the API: the token, how often it may be guessed, and by which name we may be called. */
import { addressKey, isLoopback, parseIPv4, parseIPv6 } from '../../core/address.ts'
import type { Clock } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { equalBytes, sha256 } from '../../crypto/hash.ts'

const minuteMs = 60_000

/** Addresses remembered at once; a flood of new ones forgets the oldest instead of growing. */
const rememberedMax = 4096

/** Compares tokens in a time that says nothing about them. */
export function tokenCheck(token: string): (shown: string) => boolean {
  const digest = (text: string) => sha256(new TextEncoder().encode(text))
  const wanted = digest(token)
  return (shown) => token !== '' && equalBytes(digest(shown), wanted)
}

/** Counts wrong tokens by address, an IPv6 network of 64 bits counting as one. */
export class Attempts {
  readonly #clock: Clock
  readonly #wrong = new Map<string, { since: number; count: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Seconds for which this address is turned away; 0: not at all. */
  blockedS(host: string): number {
    const entry = this.#entry(host)
    if (!entry || entry.count < limits.controlWrongTokens) return 0
    return Math.ceil((entry.since + minuteMs - this.#clock.elapsed()) / 1000)
  }

  wrong(host: string): void {
    const entry = this.#entry(host)
    if (entry) entry.count++
    else this.#wrong.set(addressKey(host), { since: this.#clock.elapsed(), count: 1 })
    if (this.#wrong.size > rememberedMax) this.#wrong.delete(this.#wrong.keys().next().value!)
  }

  #entry(host: string): { since: number; count: number } | undefined {
    const key = addressKey(host)
    const entry = this.#wrong.get(key)
    const age = entry ? this.#clock.elapsed() - entry.since : 0
    if (entry && age < minuteMs) return entry
    this.#wrong.delete(key)
    return undefined
  }
}

/**
 * Whether a request may name us so. A page of the web can make a name of its own lead to 127.0.0.1 and then talk to what
 * listens here; it cannot make the browser send an address or `localhost` for its own name.
 */
export function hostAllowed(header: string | undefined, listenHost: string): boolean {
  if (!isLoopback({ host: listenHost, port: 0 })) return true
  const host = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(header ?? '')
  const name = (host?.[1] ?? host?.[2] ?? '').toLowerCase()
  if (name === '') return false
  return name === 'localhost' || name === listenHost.toLowerCase() || !!parseIPv4(name) || !!parseIPv6(name)
}
