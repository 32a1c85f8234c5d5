import { chmod } from 'node:fs/promises'
import { type Address, formatAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Listener, Listening, Passage } from '../../core/dialer.ts'
import type { Cancel, Env } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import type { ListenConfig } from '../../settings/model.ts'
import { placeKey } from './places.ts'

/**
 * An address that is listened on. What its connections go through can be exchanged, also for that of another inbound,
 * while the address stays open: nobody who connects meanwhile is refused. Until there is a passage connections wait.
 */
export class Port {
  listen: ListenConfig
  readonly #env: Env
  #base: Listener
  /** Where it really listens; kept while accepting is paused. */
  #address: Address
  #listening: Listening | undefined
  #passage: Passage | undefined
  /** Of those before it, the ones that somebody is still on the way through. */
  #former: readonly Passage[] = []
  #waiting: Conn[] = []
  #closed = false
  /** Counts up whenever listening begins or ends: what was begun before comes too late. */
  #turn = 0
  #cancelRetry: Cancel = () => {}

  private constructor(listen: ListenConfig, base: Listener, env: Env) {
    this.listen = listen
    this.#base = base
    this.#env = env
    this.#address = listen.address
  }

  /** Rejects with LISTEN_FAILED. */
  static async open(listen: ListenConfig, base: Listener, env: Env): Promise<Port> {
    const port = new Port(listen, base, env)
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
    return this.#passages.reduce((sum, { pending }) => sum + pending, this.#waiting.length)
  }

  get #passages(): readonly Passage[] {
    return this.#passage ? [...this.#former, this.#passage] : this.#former
  }

  /** Connections go this way from now on; those in the handshake of the way before come through it still. */
  lead(passage: Passage): void {
    if (this.#closed) {
      passage.close()
      return
    }
    if (this.#passage) this.#former = [...this.#former, this.#passage].filter(({ pending }) => pending > 0)
    this.#passage = passage
    for (const conn of this.#waiting.splice(0)) passage.receive(conn)
  }

  /** Closes the address and opens it again at once through `base`: for options of the listening socket itself. */
  rebind(base: Listener): void {
    this.#base = base
    this.pause()
    this.resume()
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
    for (const conn of this.#waiting.splice(0)) conn.destroy()
  }

  async #listen(turn: number): Promise<void> {
    const { mode } = this.listen
    const options = mode === undefined ? {} : { mode }
    const listening = await this.#base.listen(this.#address, (conn) => this.#accept(conn), options)
    if (turn !== this.#turn) return void listening.close()
    this.#listening = listening
    if (listening.note !== undefined) this.#env.log.warn({ address: formatAddress(listening.address) }, listening.note)
    this.#address = listening.address
  }

  #accept(conn: Conn): void {
    if (this.#closed) conn.destroy()
    else if (this.#passage) this.#passage.receive(conn)
    else this.#waiting.push(conn)
  }
}
