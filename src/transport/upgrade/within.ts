import type { Conn } from '../../core/conn.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'

/** Destroys the carrier when `work` takes longer: HANDSHAKE_TIMEOUT. */
export async function within<T>(clock: Clock, ms: number, carrier: Conn, work: () => Promise<T>): Promise<T> {
  const late = (): void =>
    carrier.destroy(
      new ProxyError('HANDSHAKE_TIMEOUT', `no whole request from ${carrier.info.remote} within ${ms / 1000} s`),
    )
  const cancel: Cancel = clock.after(ms, late)
  try {
    return await work()
  } finally {
    cancel()
  }
}
