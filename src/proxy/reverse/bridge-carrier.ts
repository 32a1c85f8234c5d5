import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import type { Env } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { controlHosts, decodeControl } from '../../protocol/reverse/control.ts'
import { MuxServer } from '../mux/server.ts'

/** Who takes what comes down a carrier. Each call owns what it is given, and must not throw. */
export interface CarrierTaker {
  stream(conn: Conn, target: Address): void
  packets(conn: PacketConn, target: Address): void
  /** A portal has taken the carrier: called once, with its first word. */
  welcomed(): void
}

/** One carrier of a bridge: Mux.Cool with the roles swapped, for who has opened it serves it. */
export class BridgeCarrier {
  readonly #server: MuxServer
  readonly #env: Pick<Env, 'clock' | 'log'>
  readonly #taker: CarrierTaker
  #control: PacketConn | undefined
  /** When the portal last said something; undefined: not yet. */
  #heardMs: number | undefined
  #draining = false

  constructor(base: Conn, env: Pick<Env, 'clock' | 'log'>, taker: CarrierTaker) {
    this.#env = env
    this.#taker = taker
    this.#server = new MuxServer(base, env, {
      stream: (conn, target) => taker.stream(conn, target),
      packets: (conn, target) => this.#packets(conn, target),
    })
  }

  /** Resolves when it has ended. */
  run(): Promise<void> {
    return this.#server.run()
  }

  /** Whether the portal sends streams down this one, as far as is known. */
  get active(): boolean {
    if (this.#draining) return false
    return this.#heardMs === undefined || this.#env.clock.elapsed() - this.#heardMs < limits.reverseSilenceMs
  }

  /** Streams and sessions of datagrams in use. */
  get streams(): number {
    return this.#server.size - (this.#control ? 1 : 0)
  }

  /** Takes nothing new, and ends with the last of what it carries. */
  retire(): void {
    this.#draining = true
    this.#server.retire()
    this.#control?.destroy()
  }

  #packets(conn: PacketConn, target: Address): void {
    if (!this.#control && controlHosts.includes(target.host)) this.#listen(conn)
    else this.#taker.packets(conn, target)
  }

  #listen(conn: PacketConn): void {
    this.#control = conn
    const over = (): void => {
      this.#control = undefined
      conn.destroy()
    }
    conn.drainTo((message) => this.#heard(message)).then(over, over)
  }

  #heard(message: Uint8Array): void {
    const first = this.#heardMs === undefined
    this.#heardMs = this.#env.clock.elapsed()
    try {
      this.#draining ||= decodeControl(message) === 'drain'
    } catch (error) {
      // Whatever it is, somebody is there who speaks Mux.Cool.
      this.#env.log.debug({ err: error }, 'a portal said something that makes no sense')
    }
    if (first) this.#taker.welcomed()
  }
}
