import { type Address, isLoopback, parseAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import { guardedPackets } from '../../core/datagrams/guarded-packets.ts'
import type { PacketDialer } from '../../core/datagrams/packet.ts'
import type { Dialer } from '../../core/dialer.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Ground } from '../../core/ground.ts'
import type { RunningInbound } from './running-inbound.ts'

export interface ApiDoorDeps {
  /** Tags of the inbounds that rules lead to it. */
  readonly doors: () => readonly string[]
  readonly inbounds: () => readonly RunningInbound[]
}

/**
 * The ways to the gRPC API: inbounds that a rule leads there, and an address of its own. It asks for no password, so that
 * being on this machine is the permission; a client of a proxy is not, although the proxy would dial for it.
 */
export class ApiDoor {
  readonly #deps: ApiDoorDeps
  /** Where the API listens by itself. */
  #own: Address | undefined
  #elsewhere: readonly Address[] = []

  constructor(deps: ApiDoorDeps) {
    this.#deps = deps
  }

  listening(address: Address): void {
    this.#own = address
  }

  /** Where another thread of this program has it. */
  listeningElsewhere(addresses: readonly Address[]): void {
    this.#elsewhere = addresses
  }

  /** Where it can be reached from this machine. */
  get addresses(): readonly Address[] {
    const doors = this.#deps.inbounds().filter(({ tag }) => this.isDoor(tag))
    const own = this.#own ? [this.#own] : []
    return [...doors.flatMap(({ addresses }) => addresses), ...own, ...this.#elsewhere]
  }

  /** Whether rules may lead flows of this inbound to the API. */
  isDoor(inboundTag: string): boolean {
    return inboundTag !== '' && this.#deps.doors().includes(inboundTag)
  }

  /** A way to the world on which no flow comes to the API. */
  guard(ground: Ground): Ground {
    return { ...ground, tcp: this.#guardStreams(ground.tcp), udp: this.#guardDatagrams(ground) }
  }

  #guardDatagrams(ground: Ground): PacketDialer {
    return {
      open: async (options) => {
        const conn = await ground.udp.open(options)
        if (!options.session) return conn
        return guardedPackets(conn, ({ host, port }) => !(ground.isOwn(host) && this.#isAt(port)))
      },
    }
  }

  /** Nothing has been sent yet when it finds out. */
  #guardStreams(base: Dialer): Dialer {
    return {
      dial: async (to, options) => {
        const conn = await base.dial(to, options)
        if (!options.session || !this.#leadsHere(conn)) return conn
        conn.destroy()
        throw new ProxyError('TARGET_FORBIDDEN', 'the target is the API of this program, which asks for no password', {
          hint: 'only programs on this machine may use it; from elsewhere use the control API, which has a token',
        })
      },
    }
  }

  #leadsHere({ info }: Conn): boolean {
    const to = parseAddress(info.remote)
    if (!to || !this.#isAt(to.port)) return false
    return isLoopback(to) || to.host === parseAddress(info.local)?.host
  }

  #isAt(asked: number): boolean {
    return this.addresses.some(({ port, path }) => path === undefined && port === asked)
  }
}
