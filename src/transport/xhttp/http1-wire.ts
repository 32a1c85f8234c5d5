import { type Address, formatAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Dialer, DialOptions } from '../../core/dialer.ts'
import type { Clock } from '../../core/env.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import { dialDeadline } from '../../core/time/deadline.ts'
import type { Asking } from '../../protocol/xhttp/asking.ts'
import { openMessage } from '../http1/client.ts'
import { PostPool } from '../http1/post-pool.ts'
import type { Hear } from './uploader.ts'
import { type Wire, wrongAnswer } from './wire.ts'

/** Connections for posts to each server, which all that go there share. */
export class PostPools {
  readonly #base: Dialer
  readonly #clock: Clock
  readonly #pools = new Map<string, PostPool>()

  constructor(base: Dialer, clock: Clock) {
    this.#base = base
    this.#clock = clock
  }

  to(address: Address, options: DialOptions): PostPool {
    const key = formatAddress(address)
    const pool =
      this.#pools.get(key) ?? new PostPool((until) => this.#dial(address, { ...options, until }), this.#clock)
    this.#pools.set(key, pool)
    return pool
  }

  async #dial(address: Address, options: DialOptions): Promise<Conn> {
    const { until, done } = dialDeadline(this.#clock, options.until)
    try {
      return await this.#base.dial(address, { ...options, until })
    } finally {
      done()
    }
  }
}

export interface Http1WireOptions {
  readonly base: Dialer
  readonly to: Address
  readonly host: string
  readonly posts: PostPool
  /** A carrier that was dialled already. */
  readonly spare?: Conn | undefined
}

/** A carrier for each stream, and shared ones for posts. */
export class Http1Wire implements Wire {
  readonly #options: Http1WireOptions
  #spare: Conn | undefined

  constructor(options: Http1WireOptions) {
    this.#options = options
    this.#spare = options.spare
  }

  async stream({ method, target, headers }: Asking, upload: boolean, options: DialOptions): Promise<Conn> {
    const { base, to, host } = this.#options
    const spare = this.#spare
    this.#spare = undefined
    const carrier = spare && !spare.gone ? spare : await base.dial(to, options)
    const what = `${method} ${target.split('?', 1)[0]} (Host: ${host}) at ${carrier.info.remote || 'the server'}`
    return openMessage(
      carrier,
      { method, target, host, headers: [...headers, identity] },
      { layer: 'xhttp', upload, wrong: (head) => wrongAnswer(head?.status, what) },
    )
  }

  post({ method, target, headers }: Asking, body: readonly Uint8Array[], hear: Hear, until: Lifetime): Promise<number> {
    const { host, posts } = this.#options
    return posts.post({ method, target, host, headers }, { body, ...hear, until })
  }

  done(): void {
    this.#spare?.destroy()
  }
}

/** Nobody in between is to compress it. */
const identity = { name: 'Accept-Encoding', value: 'identity' }
