/**
 * Two ends of one stream inside the process, for tests and for programs that embed both sides.
 *
 * It is stricter than a socket, so that a broken promise shows here first: lent bytes are overwritten as soon as the
 * sink has returned, a buffer written with `release` really stays in use until the other end took it, and destroy()
 * loses whatever the other end has not taken, unless closeWrite() came before.
 */

import type { Conn, ConnInfo, Sink } from '../../core/conn.ts'
import type { Cancel } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { Life } from '../../core/lifetime.ts'
import { type Batch, copyOf, Pipe } from './memory-pipe.ts'

export interface MemoryPairOptions {
  /** Bytes under way in one direction above which write() asks to wait. Default 64 KiB. */
  readonly highWater?: number
  /** Overrides of what each end says about itself. */
  readonly info?: readonly [Partial<ConnInfo>, Partial<ConnInfo>]
}

/** A connected pair: what is written to one end is read from the other. */
export function memoryPair(options: MemoryPairOptions = {}): [Conn, Conn] {
  const highWater = options.highWater ?? 64 * 1024
  const there = new Pipe(highWater)
  const back = new Pipe(highWater)
  const a = new MemoryConn(back, there, infoWith(options.info?.[0]))
  const b = new MemoryConn(there, back, infoWith(options.info?.[1]))
  a.peer = b
  b.peer = a
  return [a, b]
}

const infoWith = (given: Partial<ConnInfo> = {}): ConnInfo => ({
  remote: '',
  local: '',
  layers: ['memory'],
  halfClose: 'native',
  ...given,
})

const OVERWRITTEN = 0xdb

class MemoryConn implements Conn {
  readonly info: ConnInfo
  peer!: MemoryConn
  readonly #incoming: Pipe
  readonly #outgoing: Pipe
  readonly #life = new Life()
  /** Why writing is over: destroyed, or the other end is gone. */
  #writeError: Error | undefined
  #reader: ((incoming: Pipe) => void) | undefined
  #abandonReader: ((error: Error) => void) | undefined
  #wakeScheduled = false

  constructor(incoming: Pipe, outgoing: Pipe, info: ConnInfo) {
    this.info = info
    this.#incoming = incoming
    this.#outgoing = outgoing
    incoming.wake = () => this.#wake()
  }

  get gone(): Error | undefined {
    return this.#life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#life.onGone(run)
  }

  onEnded(run: () => void): Cancel {
    return this.#incoming.life.onGone(run)
  }

  read(): Promise<Uint8Array | null> {
    return this.#reading<Uint8Array | null>((incoming, resolve, reject) => {
      if (incoming.error) return reject(incoming.error)
      const batch = incoming.take()
      if (batch) {
        const owned = batch.release ? copyOf(batch.bytes) : batch.bytes
        batch.release?.()
        resolve(owned)
      } else if (incoming.ended) resolve(null)
    })
  }

  drainTo(sink: Sink): Promise<void> {
    let paused = false
    return this.#reading<void>((incoming, resolve, reject) => {
      while (!paused) {
        if (incoming.error) return reject(incoming.error)
        const batch = incoming.take()
        if (!batch) {
          if (incoming.ended) resolve()
          return
        }
        let wait: void | Promise<void>
        try {
          wait = lend(batch, sink)
        } catch (error) {
          return reject(error)
        }
        if (!wait) continue
        paused = true
        wait.then(() => {
          paused = false
          this.#wake()
        }, reject)
      }
    })
  }

  write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    const error = this.#writeError ?? (this.#outgoing.ended ? closed('written to after closeWrite()') : undefined)
    if (!error && bytes.length > 0) return this.#outgoing.put(bytes, release)
    release?.()
    if (error) return Promise.reject(error)
  }

  holdAtMost(bytes: number): void {
    this.#outgoing.holdAtMost(bytes)
  }

  closeWrite(): void {
    if (!this.#writeError) this.#outgoing.end()
  }

  destroy(reason?: Error): void {
    if (this.gone) return
    const error = reason ?? closed('destroyed')
    this.#writeError ??= error
    this.#outgoing.failWriters(error)
    this.peer.#otherEndGone()
    this.#incoming.fail(error)
    this.#abandonReader?.(error)
    this.#life.end(error)
  }

  /** What was ended in order can still be read out; everything else is a reset. */
  #otherEndGone(): void {
    const reset = new ProxyError('CONN_RESET', 'the other end of the memory pair was destroyed')
    this.#writeError ??= reset
    this.#outgoing.failWriters(reset)
    if (this.#incoming.ended) {
      this.#incoming.detach()
    } else {
      this.#incoming.fail(reset)
      this.#life.end(reset)
    }
  }

  /** Runs `step` whenever there may be something to read, until it settles. */
  #reading<T>(
    step: (incoming: Pipe, resolve: (value: T) => void, reject: (error: unknown) => void) => void,
  ): Promise<T> {
    if (this.#reader) return Promise.reject(new ProxyError('PROTOCOL_MISUSE', 'a memory end has one reader at a time'))
    return new Promise<T>((resolve, reject) => {
      const run = (incoming: Pipe) => step(incoming, settleWith(resolve), settleWith(reject))
      const settleWith = <V>(settle: (value: V) => void) => {
        return (value: V) => {
          if (this.#reader === run) this.#reader = this.#abandonReader = undefined
          settle(value)
        }
      }
      this.#abandonReader = settleWith(reject)
      this.#reader = run
      this.#wake()
    })
  }

  /** In a microtask, so that a write never runs the other end's sink inside itself. */
  #wake(): void {
    if (this.#wakeScheduled) return
    this.#wakeScheduled = true
    queueMicrotask(() => {
      this.#wakeScheduled = false
      this.#reader?.(this.#incoming)
    })
  }
}

function lend(batch: Batch, sink: Sink): void | Promise<void> {
  const lent = batch.release ? copyOf(batch.bytes) : batch.bytes
  batch.release?.()
  try {
    return sink(lent)
  } finally {
    lent.fill(OVERWRITTEN)
  }
}

const closed = (what: string): ProxyError => new ProxyError('CONN_CLOSED', `memory end ${what}`)
