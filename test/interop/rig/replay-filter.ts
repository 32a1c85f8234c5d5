import type { Peer } from './harness.ts'

/** V2Ray's words for a connection that its replay filter has refused. */
const refused = /replayed request/

/** Runs what is tried with a V2Ray server, and notes whether its filter was what made it fail. */
export type Guard = (server: Peer, body: () => Promise<void>) => Promise<void>

/**
 * Runs `attempt` again, with fresh processes, where V2Ray's replay filter has refused an honest client: it is probabilistic,
 * and does so now and then (auth-ids.ts says when, and how a client of ours in the same process avoids it). True when that was needed.
 */
export async function despiteReplayFilter(attempt: (guard: Guard) => Promise<void>, attempts = 2): Promise<boolean> {
  let refusedHonest = false
  const guard: Guard = async (server, body) => {
    try {
      await body()
    } catch (error) {
      // V2Ray writes its refusal when the connection ends, and that may be a moment after our own end of it. Its log drops lines
      // while 16 wait to be written; a refusal stands in two, of which one has not been missing yet.
      refusedHonest = await server.logged(refused, 2_000).then(
        () => true,
        () => false,
      )
      throw error
    }
  }
  for (let left = attempts; ; left--) {
    refusedHonest = false
    try {
      await attempt(guard)
      return left < attempts
    } catch (error) {
      if (left === 1 || !refusedHonest) throw error
    }
  }
}
