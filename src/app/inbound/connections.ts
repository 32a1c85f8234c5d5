import type { Conn } from '../../core/conn.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Inbound, InboundIo } from '../../core/inbound.ts'
import type { RunningInbound } from './running-inbound.ts'

/** The client connections of an instance: those in progress, and how they end when the instance stops. */
export class Connections {
  /** Connections in a handshake, waiting for their target, or between two requests: a stop cuts them first. */
  readonly handshakes = new Set<Conn>()
  readonly #env: Env
  readonly #all = new Map<Conn, RunningInbound>()
  #allGone: (() => void) | undefined
  #over = false

  constructor(env: Env) {
    this.#env = env
  }

  get size(): number {
    return this.#all.size
  }

  /** Has `handler` serve a connection that `inbound` accepted, to its end. When all are to end it is cut at once. */
  async serve(inbound: RunningInbound, handler: Inbound, io: InboundIo, conn: Conn): Promise<void> {
    if (this.#over) return conn.destroy()
    this.#all.set(conn, inbound)
    inbound.serving++
    try {
      await handler.serve(conn, io)
    } catch (error) {
      this.#env.log.error({ err: error, inbound: inbound.tag }, 'a connection failed in an unexpected way')
    }
    inbound.serving--
    conn.destroy()
    this.#all.delete(conn)
    if (this.#all.size === 0) this.#allGone?.()
  }

  /** Cuts those that `inbound` accepted, also in their handshake: they would get a flow without the limits of an account. */
  end(inbound: RunningInbound, reason: ProxyError): void {
    for (const [conn, by] of this.#all) if (by === inbound) conn.destroy(reason)
  }

  /** Cuts what carries nothing yet or no more, waits for the others to end, and cuts those left after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.#over = true
    for (const conn of this.handshakes) conn.destroy(stopping())
    if (this.#all.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#env.clock.after(graceMs, resolve)
        this.#allGone = () => {
          cancel()
          resolve()
        }
      })
    }
    this.kill()
  }

  /** Cuts all of them now; a drain() in progress then ends at once. */
  kill(): void {
    this.#allGone?.()
    for (const conn of this.#all.keys()) conn.destroy(stopping())
  }
}

const stopping = (): ProxyError => new ProxyError('SHUTTING_DOWN', 'the program is stopping')
