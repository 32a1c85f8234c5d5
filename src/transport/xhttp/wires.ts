import { type Address, formatAddress } from '../../core/address.ts'
import type { Dialer, DialOptions } from '../../core/dialer.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { abortError } from '../../net/errors.ts'
import { type Slot, Slots } from '../../protocol/xhttp/slots.ts'
import type { XhttpConfig } from '../../settings/xhttp.ts'
import type { ClientSession } from '../http2/model.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { Http1Wire, PostPools } from './http1-wire.ts'
import { Http2Wire } from './http2-wire.ts'
import { Opening } from './opening.ts'
import type { Wire } from './wire.ts'

/** Ways to servers: HTTP/2 where TLS agrees on it, HTTP/1.1 else. */
export class Wires {
  readonly #config: XhttpConfig
  readonly #deps: UpgradeDeps
  readonly #base: Dialer
  readonly #pools: PostPools
  readonly #slots = new Map<string, Slots<Opening>>()
  /** Servers that chose HTTP/1.1. */
  readonly #http1 = new Set<string>()

  constructor(config: XhttpConfig, deps: UpgradeDeps, base: Dialer) {
    this.#config = config
    this.#deps = deps
    this.#base = base
    this.#pools = new PostPools(base, deps.env.clock)
  }

  async to(to: Address, host: string, options: DialOptions): Promise<Wire> {
    const key = formatAddress(to)
    if (!this.#deps.secure || this.#http1.has(key)) return this.#plain(to, host, options)
    const slots = this.#slotsTo(key, to, options)
    const slot = slots.take()
    slot.running++
    try {
      const session = await sessionOf(slot, options.until)
      if (session) {
        const { secure } = this.#deps
        return new Http2Wire({ slots, slot, session, secure, host, sessionOf: mustHaveSession, release })
      }
    } catch (error) {
      release(slot)
      throw error
    }
    release(slot)
    this.#http1.add(key)
    return this.#plain(to, host, options, slot.use)
  }

  #plain(to: Address, host: string, options: DialOptions, opening?: Opening): Wire {
    const posts = this.#pools.to(to, options)
    return new Http1Wire({ base: this.#base, to, host, posts, spare: opening?.takeSpare() })
  }

  #slotsTo(key: string, to: Address, dial: DialOptions): Slots<Opening> {
    const known = this.#slots.get(key)
    if (known) return known
    const { clock, random } = this.#deps.env
    const { xmux } = this.#config
    const keepAlive = { idleMs: xmux.keepAliveMs, timeoutMs: limits.xhttpPingMs, withoutStreams: false }
    const slots = new Slots<Opening>(xmux, {
      random,
      elapsed: () => clock.elapsed(),
      open: () => new Opening({ base: this.#base, to, clock, keepAlive, dial }),
      closed: ({ closed }) => closed,
      retired: (slot) => {
        retired.add(slot)
        if (slot.running === 0) slot.use.retire()
      },
    })
    this.#slots.set(key, slots)
    return slots
  }
}

/** Those that get no further connection. */
const retired = new WeakSet<Slot<Opening>>()

/** A connection has left it. */
function release(slot: Slot<Opening>): void {
  slot.running--
  if (slot.running === 0 && retired.has(slot)) slot.use.retire()
}

/** Undefined: the server chose HTTP/1.1. Rejects as the dial does, or when it is given up. */
function sessionOf({ use }: Slot<Opening>, until: Lifetime): Promise<ClientSession | undefined> {
  return new Promise((resolve, reject) => {
    const leave = until.onGone((why) => reject(abortError(why, 'the server')))
    use.result.then(resolve, reject).finally(() => {
      leave()
      // Nobody else may come for it.
      if (until.gone) use.takeSpare()?.destroy()
    })
  })
}

async function mustHaveSession(slot: Slot<Opening>, until: Lifetime): Promise<ClientSession> {
  const session = await sessionOf(slot, until)
  if (session) return session
  slot.use.takeSpare()?.destroy()
  throw new ProxyError('CONN_CLOSED', 'the server speaks HTTP/2 no more')
}
