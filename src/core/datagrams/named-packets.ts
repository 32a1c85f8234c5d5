import { type Address, parseHost } from '../address.ts'
import { limits } from '../limits.ts'
import type { PacketConn } from './packet.ts'
import { PacketLayer } from './packet-layer.ts'
import { WaitingPackets } from './waiting-packets.ts'

/** The IP address for a name, as text; rejects when there is none. Asked once for each name while it is remembered. */
export type AddressOf = (name: string) => Promise<string>

/**
 * Lets a PacketConn that knows IP addresses only send to names. A name is looked up once; datagrams wait for it, some few
 * of them. A name that has no address is asked for again with the next datagram.
 */
export const namedPackets = (base: PacketConn, addressOf: AddressOf): PacketConn => new NamedPackets(base, addressOf)

/** What is known of a host. */
interface Known {
  /** Where to send; undefined while that is being looked up. The port is the last one used. */
  address: Address | undefined
  readonly waiting: WaitingPackets<number>
}

class NamedPackets extends PacketLayer {
  readonly #addressOf: AddressOf
  readonly #hosts = new Map<string, Known>()
  /** Most datagrams go where the one before went. */
  #lastIp = ''
  #closed = false
  readonly #lookUps = new Set<Promise<void>>()

  constructor(base: PacketConn, addressOf: AddressOf) {
    super(base)
    this.#addressOf = addressOf
    base.onGone(() => {
      this.#closed = true
      for (const { waiting } of this.#hosts.values()) this.droppedHere += waiting.drop()
      this.#hosts.clear()
    })
  }

  override send(bytes: Uint8Array, to: Address): boolean {
    if (this.#closed) return this.drop()
    if (to.host === this.#lastIp) return this.base.send(bytes, to)
    const known = this.#hosts.get(to.host) ?? this.#learn(to)
    if (!known) return this.base.send(bytes, to)
    if (known.address) return this.base.send(bytes, addressAt(known, to.port))
    if (bytes.length > this.info.largest) return this.drop()
    this.droppedHere += known.waiting.add(bytes, to.port)
    return true
  }

  /** What waits for a name is still sent. */
  override async closeWrite(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#lookUps)
    return this.base.closeWrite()
  }

  /** A host that is met for the first time; undefined for an IP address, which is used as it is. */
  #learn({ host }: Address): Known | undefined {
    if (parseHost(host).kind !== 'domain') {
      this.#lastIp = host
      return undefined
    }
    const known: Known = { address: undefined, waiting: new WaitingPackets() }
    this.#hosts.set(host, known)
    if (this.#hosts.size > limits.packetNames) this.#forget(this.#hosts.keys().next().value!)
    const lookUp = this.#lookUp(host, known).finally(() => this.#lookUps.delete(lookUp))
    this.#lookUps.add(lookUp)
    return known
  }

  async #lookUp(name: string, known: Known): Promise<void> {
    try {
      known.address = { host: await this.#addressOf(name), port: 0 }
      known.waiting.release((bytes, port) => this.base.send(bytes, addressAt(known, port)))
    } catch {
      this.droppedHere += known.waiting.drop()
      if (this.#hosts.get(name) === known) this.#hosts.delete(name)
    }
  }

  #forget(host: string): void {
    this.droppedHere += this.#hosts.get(host)?.waiting.drop() ?? 0
    this.#hosts.delete(host)
  }
}

function addressAt(known: Known, port: number): Address {
  if (known.address!.port !== port) known.address = { host: known.address!.host, port }
  return known.address!
}
