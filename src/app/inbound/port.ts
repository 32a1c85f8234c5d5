import { chmod } from 'node:fs/promises'
import { type Address, formatAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Passage } from '../../core/dialer.ts'
import type { Cancel, Env } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import type { ListenConfig } from '../../settings/model.ts'
import type { Way } from '../../transport/stack.ts'
import { placeKey } from './places.ts'
import type { Claim } from './shared/choice.ts'
import type { Guest, Share } from './shared/group.ts'
import type { PortBase } from './shared/shared-ports.ts'

/** What a port is opened with. */
export interface PortParts {
  readonly base: PortBase
  readonly claim?: Claim | undefined
}

/**
 * An address that is listened on. What its connections go through can be exchanged, also for that of another inbound,
 * while the address stays open: nobody who connects meanwhile is refused. Until there is a passage connections wait.
 */
export class Port implements Guest {
  listen: ListenConfig
  /** By what it is told apart from other inbounds at the address; undefined: there can be none. */
  claim: Claim | undefined
  readonly #env: Env
  #base: PortBase
  /** Where it really listens; kept while accepting is paused. */
  #address: Address
  #listening: Share | undefined
  #way: Way | undefined
  /** Of those before it, the ones that somebody is still on the way through. */
  #former: readonly Passage[] = []
  #waiting: { readonly conn: Conn; readonly secured: boolean }[] = []
  #closed = false
  /** Counts up whenever listening begins or ends: what was begun before comes too late. */
  #turn = 0
  #cancelRetry: Cancel = () => {}

  private constructor(listen: ListenConfig, { base, claim }: PortParts, env: Env) {
    this.listen = listen
    this.#base = base
    this.claim = claim
    this.#env = env
    this.#address = listen.address
  }

  /** Rejects with LISTEN_FAILED. */
  static async open(listen: ListenConfig, parts: PortParts, env: Env): Promise<Port> {
    const port = new Port(listen, parts, env)
    try {
      await port.#listen(port.#turn)
    } catch (error) {
      port.close()
      throw error
    }
    return port
  }

  get address(): Address {
    return this.#address
  }

  /** Names the address as it was asked for. */
  get key(): string {
    return placeKey(this.listen)
  }

  /** Accepted, and not served yet: they wait, or are in a handshake of the transport. */
  get pending(): number {
    const unknown = this.#waiting.length + (this.#listening?.pending ?? 0)
    return this.#passages.reduce((sum, { pending }) => sum + pending, unknown)
  }

  get #passages(): readonly Passage[] {
    return this.#way ? [...this.#former, this.#way.whole] : this.#former
  }

  /** Connections go this way from now on; those in the handshake of the way before come through it still. */
  lead(way: Way, claim?: Claim): void {
    if (this.#closed) {
      way.whole.close()
      return
    }
    this.#former = this.#passages.filter(({ pending }) => pending > 0)
    this.#way = way
    this.claim = claim
    for (const { conn, secured } of this.#waiting.splice(0)) (secured ? way.inside : way.whole).receive(conn)
  }

  /** Closes the address and opens it again at once through `base`: for options of the listening socket itself. */
  rebind(base: PortBase): void {
    const shared = this.#listening?.shared === true
    this.#base = base
    this.pause()
    const turn = this.#turn
    const goOn = (): void => {
      if (turn === this.#turn) this.resume()
    }
    // Others that share the address do the same first: the socket is closed when all have left it.
    if (shared) queueMicrotask(goOn)
    else goOn()
  }

  /** Makes the file of a unix socket again if somebody has removed it. Rejects with LISTEN_FAILED. */
  async restore(): Promise<void> {
    await this.#listening?.restore?.()
  }

  /** Takes over what may change while the address stays the same: the rights of a unix socket's file. */
  describe(listen: ListenConfig): void {
    const before = this.listen.mode
    this.listen = listen
    const { mode, address } = listen
    const { path } = address
    if (path === undefined || mode === undefined || mode === before) return
    chmod(path, mode).catch((error: Error) =>
      this.#env.log.error({ err: error }, `the mode of ${path} stays as it was`),
    )
  }

  /** Stops accepting for a while: see resume(). */
  pause(): void {
    this.#turn++
    this.#cancelRetry()
    void this.#listening?.close()
    this.#listening = undefined
  }

  /** Leaves the address to others until resume(). */
  vacate(): void {
    this.pause()
  }

  /** An address that was ours a moment ago may be had again, if not at once. */
  resume(): void {
    if (this.#closed || this.#listening) return
    this.#cancelRetry()
    const turn = ++this.#turn
    this.#listen(turn).catch((error: Error) => {
      if (turn !== this.#turn) return
      this.#env.log.error({}, `${error.message}; trying again`)
      this.#cancelRetry = this.#env.clock.after(limits.reopenMs, () => this.resume())
    })
  }

  /** Stops accepting; connections live on. */
  close(): void {
    this.#closed = true
    this.pause()
    for (const passage of this.#passages) passage.close()
    for (const { conn } of this.#waiting.splice(0)) conn.destroy()
  }

  async #listen(turn: number): Promise<void> {
    const { mode } = this.listen
    const options = mode === undefined ? {} : { mode }
    const listening = await this.#base.listen(this.#address, this, options)
    if (turn !== this.#turn) return void listening.close()
    this.#listening = listening
    if (listening.note !== undefined) this.#env.log.warn({ address: formatAddress(listening.address) }, listening.note)
    this.#address = listening.address
  }

  receive(conn: Conn): void {
    this.#take(conn, false)
  }

  receiveSecured(conn: Conn): void {
    this.#take(conn, true)
  }

  #take(conn: Conn, secured: boolean): void {
    if (this.#closed) conn.destroy()
    else if (this.#way) (secured ? this.#way.inside : this.#way.whole).receive(conn)
    else this.#waiting.push({ conn, secured })
  }
}
