import { type Address, formatAddress, parseAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { PacketConn, UdpListener } from '../../core/datagrams/packet.ts'
import type { UdpDoor } from '../../core/datagrams/udp-door.ts'
import type { Layer } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Inbound } from '../../core/inbound.ts'
import type { UserDirectory } from '../../protocol/vmess/users/directory.ts'
import type { InboundConfig, ListenConfig, SniffingConfig, VmessUser } from '../../settings/model.ts'
import { wayThrough } from '../../transport/stack.ts'
import type { Origin } from '../flow/flow.ts'
import { DynamicPorts, type LivePort, minutesMax } from './dynamic-ports.ts'
import { type Place, placeKey, placesAt } from './places.ts'
import { Port } from './port.ts'
import type { Claim } from './shared/choice.ts'
import type { PortBase } from './shared/shared-ports.ts'
import { UdpPort } from './udp-port.ts'

/** What an inbound is at a moment: built anew from each configuration that it gets. */
export interface InboundParts {
  readonly config: InboundConfig
  readonly handler: Inbound
  /** Binds the addresses. */
  readonly base: PortBase
  /** What tells how it binds them: with the same it need not be done again. */
  readonly binding: object
  /** Binds those of UDP. */
  readonly udp: UdpListener
  /** TLS, which connections go through first. */
  readonly secure?: Layer | undefined
  /** What they go through then before the handler has them, innermost first. */
  readonly layers: readonly Layer[]
  /** By what it can share an address with others; absent: it cannot. */
  readonly claim?: Claim | undefined
  /** Text of the files that were read for it, such as certificates. */
  readonly files: readonly string[]
}

export interface InboundHost {
  readonly env: Env
  /** Serves an accepted connection until it ends. */
  accept(handler: Inbound, conn: Conn): void
  /** Serves a client socket until its session ends. */
  acceptPackets(handler: Inbound, client: PacketConn): void
  /** A port of ours is open. */
  listening(address: Address): void
}

export type AnyPort = Port | UdpPort

/** @param number the port of the other socket at this address, where it was left to the system. Rejects with LISTEN_FAILED. */
export function openPort(place: Place, parts: InboundParts, env: Env, number = 0): Promise<AnyPort> {
  if (!place.udp) return Port.open(place, parts, env)
  const { udp } = parts
  const { address } = place
  return UdpPort.open(place, address.port === 0 ? { ...address, port: number } : address, udp, env)
}

/** An inbound at work: its addresses, its users, and the handler that serves whoever connects. */
export class RunningInbound implements Origin {
  /** Of a VMess inbound. */
  readonly users: UserDirectory<VmessUser> | undefined
  readonly #host: InboundHost
  readonly #ports = new Map<string, AnyPort>()
  readonly #moving: DynamicPorts
  #parts: InboundParts
  #closed = false
  /** Connections that the handler serves. */
  serving = 0

  constructor(parts: InboundParts, users: UserDirectory<VmessUser> | undefined, host: InboundHost) {
    this.#parts = parts
    this.users = users
    this.#host = host
    this.#moving = new DynamicPorts(this, host.env)
  }

  get tag(): string {
    return this.config.tag
  }

  get at(): string {
    return this.config.at
  }

  get sniffing(): SniffingConfig | undefined {
    return this.config.sniffing
  }

  get config(): InboundConfig {
    return this.#parts.config
  }

  get parts(): InboundParts {
    return this.#parts
  }

  /**
   * Serves new connections in this way from now on. Ports stay open; which there should be is the caller's business.
   */
  adopt(parts: InboundParts): void {
    const before = this.#parts
    this.#parts = parts
    for (const port of this.#ports.values()) {
      if (port instanceof UdpPort) continue
      if (parts.base !== before.base) port.rebind(parts.base)
      if (parts.layers !== before.layers) this.#lead(port)
    }
  }

  /** Connections that are not served yet: they wait, or are in a handshake of the transport. */
  get pending(): number {
    return this.ports.reduce((sum, port) => sum + (port instanceof Port ? port.pending : 0), 0)
  }

  /** Connections in progress, pending ones included. */
  get connections(): number {
    return this.pending + this.serving
  }

  /** What is being listened on, port 0 filled in. */
  get addresses(): readonly Address[] {
    return [...new Map(this.ports.map(({ address }) => [formatAddress(address), address])).values()]
  }

  get ports(): readonly AnyPort[] {
    return [...this.#ports.values()]
  }

  isOpen(listen: ListenConfig): boolean {
    return bothPlaces(listen).some((place) => this.#ports.has(placeKey(place)))
  }

  /** Opens every address, or the first of those that move. Rejects with LISTEN_FAILED. */
  async openAll(): Promise<void> {
    if (this.config.allocate) return this.movePorts()
    for (const listen of this.config.listen) await this.open(listen)
  }

  /**
   * Moves ports as the configuration says; again after adopt(). Ports that clients were told of stay open for the rest of
   * their time, but where ports do not move any more the open ones are left to the caller. Rejects with LISTEN_FAILED.
   */
  movePorts(): Promise<void> {
    const { tag, listen, allocate } = this.config
    return this.#moving.follow(allocate && { tag, listen, allocate })
  }

  /** A port that a client can be sent to; undefined without any. One that does not move is good for as long as can be said. */
  randomPort(): LivePort | undefined {
    if (this.#moving.active) return this.#moving.randomPort()
    const open = this.addresses.filter(({ path }) => path === undefined)
    if (open.length === 0) return undefined
    return { port: open[this.#host.env.random.below(open.length)]!.port, minutes: minutesMax }
  }

  /** Opens every socket at this address. Resolves with what was bound. Rejects with LISTEN_FAILED. */
  async open(listen: ListenConfig): Promise<Address> {
    let bound = listen.address
    const held: AnyPort[] = []
    try {
      for (const place of placesAt(listen, this.#parts.handler)) {
        const port = await openPort(place, this.#parts, this.#host.env, bound.port)
        bound = port.address
        if (this.#closed) {
          port.close()
          throw new ProxyError('LISTEN_FAILED', `the inbound "${this.tag || this.at}" was closed while it opened`)
        }
        held.push(port)
        this.hold(port)
      }
    } catch (error) {
      for (const port of held) this.release(port.listen)?.close()
      throw error
    }
    return bound
  }

  /** Takes over an open port; connections that wait there are served. */
  hold(port: AnyPort): void {
    this.#ports.set(port.key, port)
    this.#host.listening(port.address)
    if (port instanceof Port) this.#lead(port)
    else port.lead((client) => this.#host.acceptPackets(this.#parts.handler, client))
  }

  /** The UDP address beside the TCP one that `near` came in by. */
  udpBeside(near: Conn): UdpDoor | undefined {
    const number = parseAddress(near.info.local)?.port
    return this.ports.find((port): port is UdpPort => port instanceof UdpPort && port.address.port === number)
  }

  /** Gives an open port away. */
  release(place: Place): AnyPort | undefined {
    const port = this.#ports.get(placeKey(place))
    this.#ports.delete(placeKey(place))
    return port
  }

  /** Stops accepting there; connections live on, datagrams cannot. */
  close(listen: ListenConfig): void {
    for (const place of bothPlaces(listen)) this.release(place)?.close()
  }

  /** For good: what is being opened is closed too. */
  closeAll(): void {
    this.#closed = true
    this.#moving.stop()
    for (const { listen } of this.ports) this.close(listen)
  }

  #lead(port: Port): void {
    const { secure, layers, claim } = this.#parts
    const way = wayThrough(secure, layers, (conn) => this.#host.accept(this.#parts.handler, conn))
    port.lead(way, claim)
  }
}

/** Whatever may be open at an address: settings may have changed since it was opened. */
const bothPlaces = ({ address }: ListenConfig): readonly Place[] => [{ address }, { address, udp: true }]
