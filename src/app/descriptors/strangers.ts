import { addressKey, endpointHost } from '../../core/address.ts'
import { type Link, LinkedList } from '../../core/collections/linked-list.ts'
import type { Conn, ConnInfo } from '../../core/conn.ts'

/** A connection that has not shown yet who it is. */
export interface Stranger {
  readonly conn: Conn
  /** Those of its address, which turns out to be another where it comes by a proxy. */
  peers: Peers
  readonly byAge: Link<Stranger>
  byPeers: Link<Stranger>
}

/** Strangers of one address. */
interface Peers {
  /** `''` for those without an address: unix sockets. */
  readonly address: string
  readonly list: LinkedList<Stranger>
}

/** The strangers of all ports by age, and those of each address by age. Nothing here takes longer when they are more. */
export class Strangers {
  readonly #byAge = new LinkedList<Stranger>()
  readonly #byAddress = new Map<string, Peers>()
  readonly #byInfo = new Map<ConnInfo, Stranger>()

  get size(): number {
    return this.#byAge.size
  }

  get oldest(): Stranger | undefined {
    return this.#byAge.first
  }

  add(conn: Conn): Stranger {
    const peers = this.#peersOf(conn.info.remote)
    const stranger = { conn, peers } as { -readonly [K in keyof Stranger]: Stranger[K] }
    stranger.byAge = this.#byAge.push(stranger)
    stranger.byPeers = peers.list.push(stranger)
    this.#byInfo.set(conn.info, stranger)
    return stranger
  }

  /** @param remote where it really comes from */
  move(stranger: Stranger, remote: string): void {
    this.#leave(stranger)
    stranger.peers = this.#peersOf(remote)
    stranger.byPeers = stranger.peers.list.push(stranger)
  }

  #leave({ peers, byPeers }: Stranger): void {
    peers.list.remove(byPeers)
    if (peers.list.size === 0) this.#byAddress.delete(peers.address)
  }

  #peersOf(remote: string): Peers {
    const address = addressKey(endpointHost(remote))
    const known = this.#byAddress.get(address)
    if (known) return known
    const peers = { address, list: new LinkedList<Stranger>() }
    this.#byAddress.set(address, peers)
    return peers
  }

  /** By what the connection, not what runs on it, says of itself. */
  find(info: ConnInfo): Stranger | undefined {
    return this.#byInfo.get(info)
  }

  /** The oldest of the address of this one, if there are more than `most`. Those without an address are not counted. */
  tooMany({ peers: { address, list } }: Stranger, most: number): Stranger | undefined {
    return address !== '' && list.size > most ? list.first : undefined
  }

  /** Nothing if it was taken out before. */
  remove(stranger: Stranger): void {
    const { conn, byAge } = stranger
    if (this.#byInfo.get(conn.info) !== stranger) return
    this.#byInfo.delete(conn.info)
    this.#byAge.remove(byAge)
    this.#leave(stranger)
  }
}
