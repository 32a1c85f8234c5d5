/** What the settings of the transports over HTTP/2 have in common. */
import { integer } from '../../schema/fields.ts'
import type { KeepAlive } from '../../settings/http2.ts'

export const seconds = (description: string) => integer(0, 2 ** 31 - 1, description)

/** As Go's gRPC: a client asks no more often, and waits so long for the answer. */
const [idleLeastS, timeoutS] = [10, 20]

/** 0 for a number stands for its default. */
export function keepAliveOf(idleS = 0, answerS = 0, withoutStreams = false): KeepAlive {
  const wanted = idleS > 0 || answerS > 0 || withoutStreams
  const idleMs = wanted ? Math.max(idleS, idleLeastS) * 1000 : 0
  return { idleMs, timeoutMs: (answerS || timeoutS) * 1000, withoutStreams }
}
