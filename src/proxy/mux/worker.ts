import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Cancel, Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { FrameEncoder } from '../../protocol/mux/frame-encoder.ts'
import { Carrier } from './carrier.ts'
import { MuxPacketConn, type MuxPacketOptions } from './packets.ts'
import { MuxConn } from './stream.ts'

export interface WorkerOptions {
  readonly env: Pick<Env, 'clock' | 'log'>
  /** Sub-streams at once. */
  readonly concurrency: number
  /** Sub-streams in its life, at most 65535; `limits.muxSubstreamsEver` unless given. */
  readonly everAtMost?: number
  /** The carrier to be; given up when `abort` is called. */
  readonly dial: Promise<Conn>
  readonly abort: (why: Error) => void
  /** Called once, when it takes no sub-stream any more. */
  readonly retired: (worker: Worker) => void
  readonly stalled: (target: Address) => void
}

/**
 * One carrier of ours, from its dial on. Places are taken before it is connected, so that a burst of requests makes no
 * more carriers than it needs; the numbers of sessions count up and are never used again.
 */
export class Worker {
  readonly #options: WorkerOptions
  readonly #dialling: Promise<Carrier>
  #carrier: Carrier | undefined
  /** Places that are taken. */
  #live = 0
  #ever = 0
  #retired = false
  /** Nobody will ask it for more: it ends with the last of what it carries. */
  #leaving = false
  #cancelIdle: Cancel | undefined

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#dialling = options.dial.then((base) => this.#connected(base))
    this.#dialling.catch(() => this.#retire())
  }

  #connected(base: Conn): Carrier {
    const carrier = new Carrier(base, this.#options.env.clock, {
      opened: () => undefined,
      detached: () => this.#leave(),
      stalled: (target) => this.#stalled(target),
    })
    this.#carrier = carrier
    if (this.#retired && !(this.#leaving && this.#live > 0))
      carrier.destroy(new ProxyError('CONN_CLOSED', 'nobody waits for the carrier any more'))
    carrier.run().finally(() => this.#retire())
    return carrier
  }

  get full(): boolean {
    return this.#retired || this.#live >= this.#options.concurrency || this.#spent
  }

  /** Sub-streams in use, and places that are taken for some. */
  get live(): number {
    return this.#live
  }

  /** Sub-streams so far. */
  get ever(): number {
    return this.#ever
  }

  get #spent(): boolean {
    return this.#ever >= (this.#options.everAtMost ?? limits.muxSubstreamsEver)
  }

  /**
   * Takes a place, to be called while it is not full, and waits for the carrier. The place is given up when `until` is
   * over first, or the carrier fails. Rejects with why.
   */
  take(until: Lifetime): Promise<Place> {
    this.#cancelIdle?.()
    this.#live++
    const session = ++this.#ever
    return new Promise((resolve, reject) => {
      const cancel = until.onGone((why) => {
        reject(why)
        this.#leave()
      })
      this.#dialling.then(
        (carrier) => {
          if (until.gone) return
          cancel()
          resolve({ carrier, session, leave: () => this.#leave() })
        },
        (error) => {
          cancel()
          reject(error)
        },
      )
    })
  }

  /** Takes nothing new, and ends with the last of what it carries. */
  retire(): void {
    this.#leaving = true
    if (this.#live === 0) this.#close()
    this.#retire()
  }

  /** Ends it and all that it carries. */
  destroy(why: ProxyError): void {
    this.#retire()
    this.#options.abort(why)
    this.#carrier?.destroy(why)
  }

  #leave(): void {
    this.#live--
    if (this.#live > 0 || (this.#retired && !this.#leaving)) return
    if (!this.#carrier) this.destroy(new ProxyError('DIAL_ABORTED', 'nobody waits for the carrier any more'))
    else if (this.#leaving || this.#spent) this.#close()
    else this.#cancelIdle = this.#options.env.clock.after(limits.muxClientIdleMs, () => this.#close())
  }

  #close(): void {
    this.#retire()
    this.#carrier?.close()
  }

  #retire(): void {
    if (this.#retired) return
    this.#retired = true
    this.#cancelIdle?.()
    this.#options.retired(this)
  }

  #stalled(target: Address): void {
    const server = this.#carrier?.info.remote
    this.#options.env.log.info({ server, target }, 'a multiplexed stream was not read and held up others: ended')
    this.#options.stalled(target)
  }
}

/** Room for one sub-stream on a carrier that is connected. */
export interface Place {
  readonly carrier: Carrier
  readonly session: number
  /** Gives it back unused; a sub-stream that is attached does so by itself. */
  leave(): void
}

/** @throws ProxyError ADDRESS_INVALID; the place is given back then */
export function openStream({ carrier, session, leave }: Place, target: Address): MuxConn {
  try {
    const conn = new MuxConn(carrier, session, new FrameEncoder(session, { network: 'tcp', target }), target)
    carrier.attach(session, conn)
    return conn
  } catch (error) {
    leave()
    throw error
  }
}

export function openPackets({ carrier, session }: Place, options: MuxPacketOptions): MuxPacketConn {
  const conn = new MuxPacketConn(carrier, session, options)
  carrier.attach(session, conn)
  return conn
}
