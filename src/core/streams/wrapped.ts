import type { Conn, ConnInfo, Sink } from '../conn.ts'
import type { Cancel } from '../env.ts'

/** A Conn that is another one but for what is read from it. */
export abstract class WrappedConn implements Conn {
  protected readonly base: Conn

  constructor(base: Conn) {
    this.base = base
  }

  abstract read(): Promise<Uint8Array | null>
  abstract drainTo(sink: Sink): Promise<void>

  get gone(): Error | undefined {
    return this.base.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.base.onGone(run)
  }

  onEnded(run: () => void): Cancel {
    return this.base.onEnded?.(run) ?? nothing
  }

  get info(): ConnInfo {
    return this.base.info
  }

  write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    return this.base.write(bytes, release)
  }

  holdAtMost(bytes: number): void {
    this.base.holdAtMost(bytes)
  }

  readAtMost(bytes: number): void {
    this.base.readAtMost?.(bytes)
  }

  hold(alive: boolean): void {
    this.base.hold?.(alive)
  }

  closeWrite(): void | Promise<void> {
    return this.base.closeWrite()
  }

  destroy(reason?: Error): void {
    this.base.destroy(reason)
  }
}

const nothing = (): void => {}
