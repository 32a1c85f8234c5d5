import type { Sink } from '../../core/conn.ts'
import { ProxyError } from '../../core/errors.ts'
import { Backlog } from './backlog.ts'

interface Reader {
  /** Gets bytes; a promise asks to wait. */
  readonly take: Sink
  /** The orderly end. */
  readonly end: () => void
  readonly fail: (why: unknown) => void
}

/**
 * The receiving half of a sub-stream. What comes in while somebody drains is lent on at once and never copied; what comes
 * in otherwise is held. `changed` hears by how much the held bytes grow and shrink.
 */
export class Inbox {
  readonly #backlog = new Backlog()
  readonly #changed: (bytes: number) => void
  readonly #drained: () => void
  #reader: Reader | undefined
  #waiting = false
  #ended = false
  #endError: Error | undefined
  #error: Error | undefined

  /** @param drained called once everything was read up to the end or the error that end() named */
  constructor(changed: (bytes: number) => void, drained: () => void) {
    this.#changed = changed
    this.#drained = drained
  }

  /** Bytes held. */
  get unread(): number {
    return this.#backlog.length
  }

  get ended(): boolean {
    return this.#ended
  }

  put(lent: Uint8Array): void {
    if (this.#ended || this.#error) return
    const reader = this.#reader
    if (reader && !this.#waiting && this.#backlog.length === 0) {
      this.#hand(reader, () => reader.take(lent))
    } else {
      this.#backlog.add(lent)
      this.#changed(lent.length)
    }
  }

  /** Nothing more will come; what is held can still be read, and then the end, or `error`. The first call counts. */
  end(error?: Error): void {
    if (!this.#ended) this.#endError = error
    this.#ended = true
    this.#pump()
  }

  /** Drops what is held; whoever reads, now or later, gets `error`. An orderly end that was reached stands. */
  fail(error: Error): void {
    if (this.#error) return
    const reached = this.#ended && !this.#endError && this.#backlog.length === 0
    if (!reached) this.#error = error
    const held = this.#backlog.length
    this.#backlog.clear()
    if (held > 0) this.#changed(-held)
    this.#settle()?.fail(error)
  }

  read(): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      const take = (lent: Uint8Array): void => {
        this.#settle()
        resolve(new Uint8Array(lent))
      }
      this.#attend({ take, end: () => resolve(null), fail: reject })
    })
  }

  drainTo(sink: Sink): Promise<void> {
    return new Promise((resolve, reject) => this.#attend({ take: sink, end: resolve, fail: reject }))
  }

  #attend(reader: Reader): void {
    const refused = this.#reader ? new ProxyError('PROTOCOL_MISUSE', 'a stream has one reader at a time') : this.#error
    if (refused) {
      reader.fail(refused)
      return
    }
    this.#reader = reader
    this.#waiting = false
    this.#pump()
  }

  #pump(): void {
    while (this.#reader && !this.#waiting && this.#backlog.length > 0) {
      const reader = this.#reader
      const before = this.#backlog.length
      this.#hand(reader, () => this.#backlog.lend((lent) => reader.take(lent)))
      // A reader that has failed the inbox meanwhile has said so itself.
      if (!this.#error) this.#changed(this.#backlog.length - before)
    }
    if (!this.#ended || this.#backlog.length > 0 || this.#error || this.#waiting) return
    const reader = this.#settle()
    if (this.#endError) reader?.fail(this.#endError)
    else reader?.end()
    this.#drained()
  }

  #hand(reader: Reader, take: () => void | Promise<void>): void {
    try {
      const wait = take()
      if (!wait) return
      this.#waiting = true
      wait.then(
        () => this.#goOn(reader),
        (error) => this.#giveUp(reader, error),
      )
    } catch (error) {
      this.#giveUp(reader, error)
    }
  }

  #goOn(reader: Reader): void {
    if (this.#reader !== reader) return
    this.#waiting = false
    this.#pump()
  }

  /** Its own fault: the stream is left as it is. */
  #giveUp(reader: Reader, error: unknown): void {
    if (this.#reader === reader) this.#settle()?.fail(error)
  }

  #settle(): Reader | undefined {
    const reader = this.#reader
    this.#reader = undefined
    this.#waiting = false
    return reader
  }
}
