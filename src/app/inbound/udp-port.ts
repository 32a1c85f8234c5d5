import type { Address } from '../../core/address.ts'
import type { PacketConn, UdpListener, UdpListening } from '../../core/datagrams/packet.ts'
import type { UdpDoor } from '../../core/datagrams/udp-door.ts'
import type { Cancel, Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { Life } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { ClientSocket } from './client-socket.ts'
import { type Place, placeKey } from './places.ts'

interface Expected {
  readonly port: number
  take(client: PacketConn): void
}

/**
 * A UDP address that is listened on, beside a TCP port or alone. It outlives handlers and passes from one inbound to another
 * like a Port, and its clients with it: who is known goes on where he was, who is new goes to whoever expects him, or
 * to the inbound of the moment.
 */
export class UdpPort implements UdpDoor {
  listen: Place
  readonly #env: Env
  readonly #base: UdpListener
  readonly #life = new Life()
  readonly #clients = new Map<string, Map<number, ClientSocket>>()
  readonly #expected = new Map<string, Set<Expected>>()
  #address: Address
  #listening: UdpListening | undefined
  #serve: ((client: PacketConn) => void) | undefined
  #paused = false
  /** Counts up whenever listening begins or ends: what was begun before comes too late. */
  #turn = 0
  #cancelRetry: Cancel = () => {}

  private constructor(listen: Place, at: Address, base: UdpListener, env: Env) {
    this.listen = listen
    this.#address = at
    this.#base = base
    this.#env = env
  }

  /** @param at where it is really to listen: port 0 may have been filled in. Rejects with LISTEN_FAILED. */
  static async open(listen: Place, at: Address, base: UdpListener, env: Env): Promise<UdpPort> {
    const port = new UdpPort(listen, at, base, env)
    await port.#listen(port.#turn)
    return port
  }

  get address(): Address {
    return this.#address
  }

  get key(): string {
    return placeKey(this.listen)
  }

  get gone(): Error | undefined {
    return this.#life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#life.onGone(run)
  }

  expect(host: string, port: number, take: (client: PacketConn) => void): Cancel {
    const expected = { port, take }
    const all = this.#expected.get(host) ?? new Set()
    this.#expected.set(host, all.add(expected))
    return () => this.#forget(host, expected)
  }

  send(bytes: Uint8Array, to: Address): boolean {
    return this.#listening?.send(bytes, to) ?? false
  }

  /** Client sockets that nobody expects go this way from now on; without one they are passed over. */
  lead(serve: (client: PacketConn) => void): void {
    this.#serve = serve
  }

  /** There is no file that could be gone. */
  readonly restore = undefined

  describe(listen: Place): void {
    this.listen = listen
  }

  /** Takes no new clients for a while: see resume(). */
  pause(): void {
    this.#paused = true
  }

  /** Leaves the address to others until resume(); clients who send meanwhile are not heard. */
  vacate(): void {
    this.#turn++
    this.#cancelRetry()
    this.#listening?.close()
    this.#listening = undefined
  }

  resume(): void {
    this.#paused = false
    if (this.gone || this.#listening) return
    this.#cancelRetry()
    const turn = ++this.#turn
    this.#listen(turn).catch((error: Error) => {
      if (turn !== this.#turn) return
      this.#env.log.error({}, `${error.message}; trying again`)
      this.#cancelRetry = this.#env.clock.after(limits.reopenMs, () => this.resume())
    })
  }

  /** For good, and its clients with it: nobody could answer them any more. */
  close(): void {
    this.vacate()
    const why = new ProxyError('CONN_CLOSED', 'the UDP port is listened on no more')
    this.#life.end(why)
    for (const ports of [...this.#clients.values()]) for (const client of [...ports.values()]) client.destroy(why)
  }

  async #listen(turn: number): Promise<void> {
    const listening = await this.#base.listen(this.#address, (lent, from) => this.#receive(lent, from))
    if (turn !== this.#turn) return listening.close()
    this.#listening = listening
    this.#address = listening.address
  }

  #receive(lent: Uint8Array, from: Address): void {
    const client = this.#clients.get(from.host)?.get(from.port) ?? this.#meet(from)
    client?.received(lent)
  }

  #meet(from: Address): ClientSocket | undefined {
    if (this.#paused || from.port === 0) return undefined
    const take = this.#expecting(from) ?? this.#serve
    if (!take) return undefined
    const client = new ClientSocket(this, from)
    const ports = this.#clients.get(from.host) ?? new Map<number, ClientSocket>()
    this.#clients.set(from.host, ports.set(from.port, client))
    client.onGone(() => {
      ports.delete(from.port)
      if (ports.size === 0) this.#clients.delete(from.host)
    })
    take(client)
    return client
  }

  /** Whoever waits for this port, or has waited longest for any of the host's. He waits no more then. */
  #expecting({ host, port }: Address): ((client: PacketConn) => void) | undefined {
    const all = [...(this.#expected.get(host) ?? [])]
    const expected = all.find((one) => one.port === port) ?? all[0]
    if (!expected) return undefined
    this.#forget(host, expected)
    return (client) => expected.take(client)
  }

  #forget(host: string, expected: Expected): void {
    const all = this.#expected.get(host)
    if (all?.delete(expected) && all.size === 0) this.#expected.delete(host)
  }
}
