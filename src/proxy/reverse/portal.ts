import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { PacketConn, PacketDialer, PacketDialOptions } from '../../core/datagrams/packet.ts'
import { PacketLinks } from '../../core/datagrams/packet-links.ts'
import type { DialOptions, Outbound } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import type { ReverseEnd } from '../../settings/reverse.ts'
import { openPackets, openStream, type Place } from '../mux/worker.ts'
import { PortalCarrier } from './portal-carrier.ts'

export interface PortalDeps {
  readonly env: Env
  /** Two connected ends inside the process. */
  readonly pair: () => [Conn, Conn]
}

/**
 * The outer end of a reverse proxy, an outbound: a stream to its domain is a bridge that offers itself as a carrier, and what
 * goes anywhere else goes down the carrier that carries least, to be dialled by the bridge.
 */
export class Portal implements Outbound {
  readonly tag: string
  readonly packets: PacketDialer = { takesNames: true, open: (options) => this.#openPackets(options) }
  readonly #domain: string
  readonly #deps: PortalDeps
  readonly #carriers = new Set<PortalCarrier>()
  #over = false

  constructor({ tag, domain }: ReverseEnd, deps: PortalDeps) {
    this.tag = tag
    this.#domain = domain.toLowerCase()
    this.#deps = deps
  }

  /** Carriers that streams can go down. */
  get carriers(): number {
    return this.#carriers.size
  }

  async dial(to: Address, { until }: DialOptions): Promise<Conn> {
    if (until.gone) throw until.gone
    if (to.host.toLowerCase() === this.#domain) return this.#join()
    return openStream(await this.#place(until), to)
  }

  async close(): Promise<void> {
    this.#over = true
    for (const carrier of [...this.#carriers]) carrier.retire()
  }

  /** A bridge has come. What is returned is joined with it. */
  #join(): Conn {
    if (this.#over) throw closed()
    if (this.#carriers.size >= limits.reverseCarriers) {
      throw new ProxyError('MUX_TOO_MANY', `the portal "${this.tag}" has ${limits.reverseCarriers} carriers already`)
    }
    const { env, pair } = this.#deps
    const [near, far] = pair()
    this.#carriers.add(new PortalCarrier(far, env, (carrier) => this.#carriers.delete(carrier)))
    env.log.info({ portal: this.tag, carriers: this.#carriers.size }, 'a bridge has connected to the portal')
    return near
  }

  /** Each target has a session of its own, because V2Ray knows no other. */
  async #openPackets({ until, first }: PacketDialOptions): Promise<PacketConn> {
    if (until.gone) throw until.gone
    const { clock } = this.#deps.env
    const open = async (_target: Address, until: Lifetime): Promise<PacketConn> =>
      openPackets(await this.#place(until), { addressed: false })
    const links = { clock, open }
    return first ? new PacketLinks(links, { target: first, conn: await open(first, until) }) : new PacketLinks(links)
  }

  async #place(until: Lifetime): Promise<Place> {
    const carrier = this.#leastUsed()
    if (!carrier) throw this.#over ? closed() : this.#absent()
    return carrier.worker.take(until)
  }

  #leastUsed(): PortalCarrier | undefined {
    const usable = [...this.#carriers].filter(({ worker }) => !worker.full)
    const fresh = usable.filter(({ draining }) => !draining)
    const [first, ...rest] = fresh.length > 0 ? fresh : usable
    return first && rest.reduce((least, other) => (other.worker.live < least.worker.live ? other : least), first)
  }

  #absent(): ProxyError {
    const bridges = this.#carriers.size > 0 ? 'every carrier of its bridges is full' : 'no bridge is connected to it'
    return new ProxyError('DIAL_FAILED', `the portal "${this.tag}" leads nowhere: ${bridges}`, {
      hint: 'start the bridge, and write a rule here that leads its domain to this portal',
    })
  }
}

const closed = () => new ProxyError('SHUTTING_DOWN', 'the portal is closed')
