import type { Conn } from '../../core/conn.ts'
import type { Env } from '../../core/env.ts'
import { isProxyError, ProxyError } from '../../core/errors.ts'
import type { Greet } from '../../core/inbound.ts'
import type { End } from './flow.ts'

export interface HandshakeDeps {
  readonly env: Env
  readonly handshakes: Set<End>
}

/** Runs `step` under a limit; `near` is destroyed with HANDSHAKE_TIMEOUT when it passes. */
export async function handshake<T>(
  near: Conn,
  step: () => Promise<T>,
  seconds: number,
  deps: HandshakeDeps,
): Promise<T> {
  const cancel = deps.env.clock.after(seconds * 1000, () => {
    near.destroy(new ProxyError('HANDSHAKE_TIMEOUT', `the handshake was not complete after ${seconds} s`))
  })
  deps.handshakes.add(near)
  try {
    return await step()
  } finally {
    cancel()
    deps.handshakes.delete(near)
  }
}

/** Has the client told what came of its request. One who is gone meanwhile is noticed where it is read. */
export async function greeted(greet: Greet | undefined, outcome: Parameters<Greet>[0]): Promise<undefined> {
  try {
    await greet?.(outcome)
  } catch (error) {
    if (!isProxyError(error)) throw error
  }
  return undefined
}
