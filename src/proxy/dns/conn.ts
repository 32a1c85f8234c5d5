import type { Conn, Sink } from '../../core/conn.ts'
import type { Cancel } from '../../core/env.ts'
import { ProxyError, toProxyError } from '../../core/errors.ts'
import { Life, type Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { framed, MessageReader } from '../../protocol/dns/message.ts'

/** Says what is answered to a message; undefined: nothing. Never rejects. */
export type Reply = (message: Uint8Array, until: Lifetime) => Promise<Uint8Array | undefined>

/** DNS over TCP with ourselves: what is written to it are questions, what is read are answers, as they come. */
export class AnsweringConn implements Conn {
  readonly info = { remote: '', local: '', layers: ['dns'], halfClose: 'native' } as const
  readonly #reply: Reply
  readonly #life = new Life()
  readonly #questions = new MessageReader()
  readonly #ready: Uint8Array[] = []
  #asking = 0
  #over = false
  #wakeReader: () => void = () => {}
  #wakeWriter: () => void = () => {}

  constructor(reply: Reply) {
    this.#reply = reply
  }

  get gone(): Error | undefined {
    return this.#life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#life.onGone(run)
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.gone) throw this.gone
      const next = this.#ready.shift()
      if (next) {
        this.#wakeWriter()
        return next
      }
      if (this.#over && this.#asking === 0) return null
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve
      })
    }
  }

  async drainTo(sink: Sink): Promise<void> {
    for (let bytes = await this.read(); bytes; bytes = await this.read()) await sink(bytes)
  }

  write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    if (!this.gone) this.#questions.push(bytes)
    release?.()
    if (this.gone) return Promise.reject(this.gone)
    return this.#askAll()
  }

  /** Never more than a few at once: whoever asks more waits. */
  #askAll(): void | Promise<void> {
    while (this.#asking + this.#ready.length < limits.dnsQuestionsHeld) {
      const message = this.#questions.next()
      if (!message) return
      this.#ask(message)
    }
    return new Promise<void>((resolve, reject) => {
      this.#wakeWriter = () => {
        if (this.gone) return reject(this.gone)
        Promise.resolve(this.#askAll()).then(resolve, reject)
      }
    })
  }

  #ask(message: Uint8Array): void {
    this.#asking++
    void this.#reply(message, this.#life).then((answer) => {
      this.#asking--
      if (this.gone) return
      if (answer) this.#ready.push(framed(answer))
      else this.#wakeWriter()
      this.#wakeReader()
    })
  }

  holdAtMost(): void {}

  closeWrite(): void {
    this.#over = true
    this.#wakeReader()
  }

  destroy(why?: Error): void {
    if (this.gone) return
    this.#life.end(toProxyError(why ?? new ProxyError('CONN_CLOSED', 'the questions are over'), 'CONN_CLOSED'))
    this.#wakeReader()
    this.#wakeWriter()
  }
}
