import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import type { Dialer, DialOptions } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { Life, type Lifetime } from '../../core/lifetime.ts'
import type { Session } from '../../core/session.ts'
import { muxTarget } from '../../protocol/mux/model.ts'
import type { MuxPacketOptions } from './packets.ts'
import { openPackets, openStream, type Place, Worker } from './worker.ts'

export interface MuxPoolOptions {
  /** Opens carriers: is asked for `muxTarget`. */
  readonly carriers: Dialer
  readonly env: Pick<Env, 'clock' | 'log'>
  /** Sub-streams in use at once on one carrier, 1 or more. */
  readonly concurrency: number
  /** Called for a sub-stream that was ended because nobody read it. */
  readonly stalled?: (target: Address) => void
}

/** A carrier may be gone again by the time it is to be used. So often is another one looked for. */
const placingTries = 16

/**
 * Sub-streams on carriers that are opened as they are needed, by V2Ray's rules: the first carrier with a free place is
 * taken; one has `concurrency` places, and serves `limits.muxSubstreamsEver` sub-streams in its life.
 */
export class MuxPool implements Dialer {
  readonly #options: MuxPoolOptions
  readonly #workers = new Set<Worker>()
  #closed = false

  constructor(options: MuxPoolOptions) {
    this.#options = options
  }

  /** Carriers that can take sub-streams, now or when others have ended. */
  get carriers(): number {
    return this.#workers.size
  }

  /** A stream to `to`. Mux does not tell whether the server reaches it: a target that refuses shows as an end. */
  async dial(to: Address, { until, session }: DialOptions): Promise<Conn> {
    return openStream(await this.#place(until, session), to)
  }

  /** A session of datagrams. It takes its place at once, and tells the server of it with the first datagram. */
  async packets(until: Lifetime, options: MuxPacketOptions, session?: Session): Promise<PacketConn> {
    return openPackets(await this.#place(until, session), options)
  }

  /** Takes nothing new; what is carried lives on, and a carrier ends in order with the last of it. */
  retire(): void {
    this.#closed = true
    for (const worker of [...this.#workers]) worker.retire()
  }

  /** Ends all carriers and what they carry. */
  close(): void {
    this.#closed = true
    for (const worker of [...this.#workers]) worker.destroy(closed())
  }

  async #place(until: Lifetime, session: Session | undefined): Promise<Place> {
    for (let tries = 0; tries < placingTries; tries++) {
      if (this.#closed) throw closed()
      if (until.gone) throw until.gone
      const place = await (this.#free() ?? this.#create(session)).take(until)
      if (!place.carrier.gone) return place
      place.leave()
    }
    throw new ProxyError('DIAL_FAILED', `${placingTries} carriers were gone before they could be used`)
  }

  #free(): Worker | undefined {
    for (const worker of this.#workers) if (!worker.full) return worker
    return undefined
  }

  #create(session: Session | undefined): Worker {
    const { carriers, env, concurrency, stalled } = this.#options
    const wanted = new Life()
    const dial = carriers.dial(muxTarget, { until: wanted, ...(session && { session }) })
    const worker = new Worker({
      env,
      concurrency,
      dial,
      abort: (why) => wanted.end(why),
      retired: (worker) => this.#workers.delete(worker),
      stalled: (target) => stalled?.(target),
    })
    this.#workers.add(worker)
    return worker
  }
}

const closed = () => new ProxyError('CONN_CLOSED', 'the pool of carriers is closed')
