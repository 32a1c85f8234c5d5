/** Somebody who answers questions of the configured DNS: a server, the system, or the pools of fake addresses. */

import type { Lifetime } from '../../core/lifetime.ts'
import type { NameAnswer, RecordType } from '../../core/name-service.ts'

export interface NameSource {
  /**
   * @param name as the asker wrote it, without a dot at the end
   * Rejects with DNS_FAILED where there is no answer, or with why `until` is over.
   */
  ask(name: string, type: RecordType, until: Lifetime): Promise<NameAnswer>
}
