import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import type { Cancel, Env } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import type { FlowRequest } from '../../core/session.ts'
import type { ReverseEnd } from '../../settings/reverse.ts'
import { BackOff } from '../upstream/back-off.ts'
import { BridgeCarrier } from './bridge-carrier.ts'

export interface BridgeDeps {
  readonly env: Env
  /** Two connected ends inside the process. */
  readonly pair: () => [Conn, Conn]
  /** Has a flow routed and carried, its inbound being the bridge. Owns `near`. */
  readonly carry: (near: Conn, request: FlowRequest) => Promise<unknown>
  readonly carryPackets: (near: PacketConn, request: FlowRequest) => Promise<unknown>
}

/**
 * The inner end of a reverse proxy. It opens carriers to its portal, as flows to the domain that both know, which rules lead
 * there; streams come back down them and are flows of this bridge. It always keeps a carrier open, and opens more when
 * streams crowd.
 */
export class Bridge {
  readonly config: ReverseEnd
  readonly #deps: BridgeDeps
  readonly #backOff: BackOff
  /** With their ends. */
  readonly #carriers = new Map<BridgeCarrier, Promise<void>>()
  #cancel: Cancel = () => {}
  #over = false

  constructor(config: ReverseEnd, deps: BridgeDeps) {
    this.config = config
    this.#deps = deps
    this.#backOff = new BackOff(deps.env, limits.reverseBackOffMaxMs)
  }

  /** Carriers that it has, also those that are being opened. */
  get carriers(): number {
    return this.#carriers.size
  }

  /** To be called once. */
  start(): void {
    if (this.#over) return
    this.#cancel = this.#deps.env.clock.after(limits.reverseTickMs, () => this.start())
    if (this.#needsAnother()) this.#open()
  }

  /** Opens nothing more, takes no streams more; those that run live on. Resolves when the last of them has ended. */
  async retire(): Promise<void> {
    this.#over = true
    this.#cancel()
    for (const carrier of this.#carriers.keys()) carrier.retire()
    await Promise.all(this.#carriers.values())
  }

  #needsAnother(): boolean {
    if (this.#carriers.size >= limits.reverseCarriers || this.#backOff.waitMs > 0) return false
    const active = [...this.#carriers.keys()].filter((carrier) => carrier.active)
    const streams = active.reduce((sum, carrier) => sum + carrier.streams, 0)
    return streams >= active.length * (limits.reverseStreamsPerCarrier + 1)
  }

  #open(): void {
    const { env, pair, carry, carryPackets } = this.#deps
    const { tag, domain } = this.config
    const [near, far] = pair()
    let welcomed = false
    const carrier = new BridgeCarrier(far, env, {
      stream: (conn: Conn, target: Address) => void carry(conn, { network: 'tcp', target }),
      packets: (conn: PacketConn, target: Address) => void carryPackets(conn, { network: 'udp', target }),
      welcomed: () => {
        welcomed = true
        this.#backOff.reset()
        env.log.info({ bridge: tag }, 'the portal has taken a carrier of the bridge')
      },
    })
    const ended = carrier.run().then(() => {
      this.#carriers.delete(carrier)
      if (!welcomed && !this.#over) this.#backOff.failed()
    })
    this.#carriers.set(carrier, ended)
    void carry(near, { network: 'tcp', target: { host: domain, port: 0 } })
  }
}
