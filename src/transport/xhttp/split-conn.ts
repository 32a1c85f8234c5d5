import type { Conn, ConnInfo, Sink } from '../../core/conn.ts'
import type { Cancel } from '../../core/env.ts'
import { closedHere } from '../../net/errors.ts'

/** Where one is read from, and one is written to. */
export interface Reading extends Pick<Conn, 'read' | 'drainTo'>, Partial<Pick<Conn, 'readAtMost'>> {
  /** Rejects what reads, and whatever would, with `why`. */
  end?(why: Error): void
}
export type Writing = Pick<Conn, 'write' | 'holdAtMost' | 'closeWrite'>

/** A connection whose directions travel apart. It lives as long as the stream downwards, which is one of the two. */
export class SplitConn implements Conn {
  readonly info: ConnInfo
  readonly #down: Conn
  readonly #reading: Reading
  readonly #writing: Writing

  /** `admitted`: told when whoever is at the other end has shown who it is; the connections below are left to it. */
  constructor(down: Conn, parts: { readonly reading: Reading } | { readonly writing: Writing }, admitted?: () => void) {
    this.info = admitted ? ofItsOwn(down.info, admitted) : down.info
    this.#down = down
    this.#reading = 'reading' in parts ? parts.reading : down
    this.#writing = 'writing' in parts ? parts.writing : down
  }

  get gone(): Error | undefined {
    return this.#down.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#down.onGone(run)
  }

  read(): Promise<Uint8Array | null> {
    return this.#reading.read()
  }

  drainTo(sink: Sink): Promise<void> {
    return this.#reading.drainTo(sink)
  }

  write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    return this.#writing.write(bytes, release)
  }

  holdAtMost(bytes: number): void {
    this.#writing.holdAtMost(bytes)
  }

  readAtMost(bytes: number): void {
    this.#reading.readAtMost?.(bytes)
  }

  hold(alive: boolean): void {
    this.#down.hold?.(alive)
  }

  closeWrite(): void | Promise<void> {
    return this.#writing.closeWrite()
  }

  destroy(reason: Error = closedHere): void {
    // First the reader: what it reads from may be reset as soon as the other half is.
    if (!this.gone) this.#reading.end?.(reason)
    this.#down.destroy(reason)
  }
}

/** What is said of a connection that runs on several. */
const ofItsOwn = ({ remote, local, layers, halfClose }: ConnInfo, admitted: () => void): ConnInfo => ({
  remote,
  local,
  layers,
  halfClose,
  admitted,
})
