import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { onBehalfOf } from '../../net/on-behalf.ts'
import { Callers } from '../callers.ts'

/** The connections of an HTTP server that listens nowhere itself. */
export class HttpConnections {
  readonly #server: Server
  readonly #clock: Clock
  readonly #callers: Callers<Socket>
  #allGone: (() => void) | undefined

  constructor(server: Server, clock: Clock) {
    this.#server = server
    this.#clock = clock
    this.#callers = new Callers({ clock, max: limits.controlConnections, silenceMs: limits.apiSilenceMs })
    server.on('request', ({ socket }, answer) => {
      this.#callers.begin(socket)
      answer.on('close', () => {
        this.#callers.end(socket)
        if (this.#allGone) socket.destroySoon()
      })
    })
  }

  /** Has the server serve a connection from `remote`. */
  accept(socket: Socket, remote: string): void {
    socket.on('error', () => {}).once('close', () => this.#gone(socket))
    if (!this.#callers.enter(socket)) return
    const peer = { remote, through: 'the control API', destroy: (reason: Error) => void socket.destroy(reason) }
    onBehalfOf(peer, () => this.#server.emit('connection', socket))
    socket.resume() // the listener hands it over paused
  }

  /** It has shown the token: it is not sent away while it is answered. */
  know(socket: Socket): void {
    this.#callers.know(socket)
  }

  /** Connections without a request go at once, whether or not they ever had one, the others when theirs is answered, or after a while. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      const cut = this.#clock.after(limits.lingerMs, () => {
        for (const socket of this.#callers) socket.destroy()
      })
      this.#allGone = () => {
        cut()
        resolve()
      }
      for (const socket of this.#callers) if (!this.#callers.busy(socket)) socket.destroy()
      if (this.#callers.size === 0) this.#allGone()
    })
  }

  #gone(socket: Socket): void {
    this.#callers.leave(socket)
    if (this.#callers.size === 0) this.#allGone?.()
  }
}
