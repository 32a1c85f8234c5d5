import type { Conn } from '../../core/conn.ts'
import type { DialOptions } from '../../core/dialer.ts'
import { abortError } from '../../net/errors.ts'

/** A handshake on a carrier that was just dialled: what ends it, or the dial, ends the carrier too. */
export async function whileDialling(
  carrier: Conn,
  { until }: DialOptions,
  handshake: () => Promise<Conn>,
): Promise<Conn> {
  const cancel = until.onGone((why) => carrier.destroy(abortError(why, carrier.info.remote)))
  try {
    return await handshake()
  } catch (error) {
    carrier.destroy()
    throw error
  } finally {
    cancel()
  }
}
