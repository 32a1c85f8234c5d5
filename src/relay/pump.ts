import type { Conn } from '../core/conn.ts'
import { limits } from '../core/limits.ts'
import type { Meter } from '../core/streams/meter.ts'
import type { IdleTimer } from './idle.ts'

/** Drains one side into the other. Settles as drainTo() does. */
export function pump(from: Conn, to: Conn, meter: Meter, idle: IdleTimer): Promise<void> {
  const write = (bytes: Uint8Array, release?: () => void): void | Promise<void> => {
    idle.touch()
    return to.write(bytes, release)
  }
  if (meter.pace) from.readAtMost?.(limits.pacedRead)
  return from.drainTo((bytes, keep) => {
    meter.add(bytes.length)
    const { pace } = meter
    if (!pace) return write(bytes, keep?.())
    from.readAtMost?.(limits.pacedRead)
    return pace.pass(bytes, write, to)
  })
}
