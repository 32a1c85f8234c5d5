import { formatAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Dialer, DialOptions } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError, toProxyError } from '../../core/errors.ts'
import { LayeredInfo } from '../../core/streams/layered-info.ts'
import { prefixed } from '../../core/streams/prefixed.ts'
import { toldAs } from '../../core/streams/told-as.ts'
import type { UpstreamServer, UpstreamUser } from '../../settings/model.ts'
import { reach } from './reach.ts'
import { Proxies, type UpstreamProxy } from './servers.ts'

/** A connection on which a proxy has agreed to something. */
export interface Agreed<T> {
  readonly conn: Conn
  readonly proxy: UpstreamProxy
  readonly user: UpstreamUser | undefined
  /** What it said. */
  readonly answer: T
}

/** What is said to a proxy, in turns. */
export interface Talk<T> {
  /** What to send before anything has come. */
  readonly first: Uint8Array
  /** Takes what came; gives what to send next, and the answer with what came behind it once it is there. Throws ProxyError. */
  push(bytes: Uint8Array): {
    readonly send?: Uint8Array
    readonly done?: { readonly answer: T; readonly rest: Uint8Array }
  }
}

/** The proxies of an outbound, and how to have one of them agree. */
export class Upstream {
  readonly #proxies: Proxies
  readonly #kind: string
  readonly #name: string
  readonly #dialer: Dialer
  readonly #env: Env

  /** @param kind as a layer is called; `name` is the word for people */
  constructor(
    servers: readonly UpstreamServer[],
    {
      kind,
      name,
      dialer,
      env,
    }: { readonly kind: string; readonly name: string; readonly dialer: Dialer; readonly env: Env },
  ) {
    this.#proxies = new Proxies(servers, env)
    this.#kind = kind
    this.#name = name
    this.#dialer = dialer
    this.#env = env
  }

  /** Reaches a proxy and talks to it. Rejects with a ProxyError that names it; nothing is left open then. */
  async open<T>(options: DialOptions, talkOf: (user: UpstreamUser | undefined) => Talk<T>): Promise<Agreed<T>> {
    const { server: proxy, base } = await reach(this.#proxies, this.#dialer, this.#env.clock, options)
    const cancel = options.until.onGone((why) => base.destroy(why))
    const { users } = proxy
    const user = users.length > 0 ? users[this.#env.random.below(users.length)] : undefined
    try {
      const { answer, rest } = await talk(base, talkOf(user))
      const info = new LayeredInfo(base.info, this.#kind, base.info.halfClose, user?.level)
      return { conn: toldAs(prefixed(base, rest), info), proxy, user, answer }
    } catch (error) {
      base.destroy()
      throw options.until.gone ?? this.#told(toProxyError(error, 'UPSTREAM_BAD_ANSWER'), proxy)
    } finally {
      cancel()
    }
  }

  #told({ code, message, hint, cause }: ProxyError, { address }: UpstreamProxy): ProxyError {
    return new ProxyError(code, `the ${this.#name} proxy ${formatAddress(address)} ${message}`, { hint, cause })
  }
}

async function talk<T>(base: Conn, words: Talk<T>): Promise<{ readonly answer: T; readonly rest: Uint8Array }> {
  let toSend = words.first
  for (;;) {
    const bytes = await exchange(base, toSend)
    if (!bytes) throw new ProxyError('UPSTREAM_BAD_ANSWER', 'closed the connection without an answer')
    const { send, done } = words.push(bytes)
    toSend = send ?? nothing
    if (done) return done
  }
}

const nothing = new Uint8Array(0)

/** What comes after something was sent. */
async function exchange(base: Conn, bytes: Uint8Array): Promise<Uint8Array | null> {
  try {
    if (bytes.length > 0) await base.write(bytes)
    return await base.read()
  } catch (error) {
    const { message } = error as Error
    throw new ProxyError('UPSTREAM_BAD_ANSWER', `did not answer: ${message}`, { cause: error })
  }
}
