import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import type { Cancel, Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { FrameEncoder } from '../../protocol/mux/frame-encoder.ts'
import type { Frame } from '../../protocol/mux/model.ts'
import { Carrier } from './carrier.ts'
import { MuxPacketConn } from './packets.ts'
import { MuxConn } from './stream.ts'
import type { Substream } from './substream.ts'

/** Who takes the sub-streams of clients. Each call owns what it is given, and must not throw. */
export interface MuxTaker {
  stream(conn: Conn, target: Address): void
  /**
   * The `from` of a datagram is where the client wants it to go; send() names where an answer comes from.
   * @param globalId names the client's socket across carriers, if it has one
   */
  packets(conn: PacketConn, target: Address, globalId: Uint8Array | undefined): void
  /** A sub-stream that was turned away; the carrier goes on. */
  refused?(why: ProxyError): void
  /** A sub-stream that was ended because nobody read it. */
  stalled?(target: Address): void
}

/** Serves one client's carrier: own connections of XUDP too, which are one session on a carrier. Resolves when it has ended. */
export function serveMux(base: Conn, env: Pick<Env, 'clock' | 'log'>, taker: MuxTaker): Promise<void> {
  return new MuxServer(base, env, taker).run()
}

/** The end of a carrier that takes sub-streams. */
export class MuxServer {
  readonly #carrier: Carrier
  readonly #env: Pick<Env, 'clock' | 'log'>
  readonly #taker: MuxTaker
  #cancelIdle: Cancel | undefined
  /** It ends with the last of what it carries. */
  #leaving = false

  constructor(base: Conn, env: Pick<Env, 'clock' | 'log'>, taker: MuxTaker) {
    this.#env = env
    this.#taker = taker
    this.#carrier = new Carrier(base, env.clock, {
      opened: (frame) => this.#opened(frame),
      detached: () => this.#waitIfIdle(),
      stalled: (target) => this.#stalled(target),
    })
  }

  /** Serves until it has ended; to be called once. Never rejects. */
  async run(): Promise<void> {
    this.#waitIfIdle()
    await this.#carrier.run()
    this.#cancelIdle?.()
  }

  /** Sub-streams in use. */
  get size(): number {
    return this.#carrier.size
  }

  /** Takes nothing new, and ends with the last of what it carries. */
  retire(): void {
    this.#leaving = true
    this.#waitIfIdle()
  }

  #opened(frame: Frame): Substream | undefined {
    const { session, address, network } = frame
    const refusal = this.#refusal(frame)
    if (refusal || !address) {
      this.#carrier.refuse(session, true)
      if (refusal) this.#taker.refused?.(refusal)
      return undefined
    }
    this.#cancelIdle?.()
    return network === 'udp' ? this.#packets(frame, address) : this.#stream(session, address)
  }

  #refusal({ malformed }: Frame): ProxyError | undefined {
    if (malformed !== undefined) return new ProxyError('MUX_MALFORMED', `a new sub-stream with ${malformed}`)
    if (this.#leaving) return new ProxyError('CONN_CLOSED', 'the carrier takes no further sub-streams')
    if (this.#carrier.size < limits.muxSubstreamsOpen) return undefined
    return new ProxyError('MUX_TOO_MANY', `${limits.muxSubstreamsOpen} sub-streams are open on one carrier`)
  }

  #stream(session: number, target: Address): Substream {
    const conn = new MuxConn(this.#carrier, session, new FrameEncoder(session), target)
    this.#carrier.attach(session, conn)
    this.#taker.stream(conn, target)
    return conn
  }

  #packets({ session, globalId }: Frame, target: Address): Substream {
    // The source in every answer is what Xray and sing-box want; V2Ray skips it.
    // XUDP names the client's socket, or has the connection to itself, as the session 0 that Mux.Cool does not count.
    const encoding = globalId || session === 0 ? 'xudp' : 'mux'
    const conn = new MuxPacketConn(this.#carrier, session, { addressed: true, encoding, target })
    this.#carrier.attach(session, conn)
    this.#taker.packets(conn, target, globalId)
    return conn
  }

  #waitIfIdle(): void {
    this.#cancelIdle?.()
    if (this.#carrier.size > 0 || this.#carrier.gone) return
    if (this.#leaving) this.#carrier.close()
    else this.#cancelIdle = this.#env.clock.after(limits.muxServerIdleMs, () => this.#carrier.close())
  }

  #stalled(target: Address): void {
    const { remote } = this.#carrier.info
    this.#env.log.info({ client: remote, target }, 'a multiplexed stream was not read and held up others: ended')
    this.#taker.stalled?.(target)
  }
}
