import { ProxyError } from '../core/errors.ts'
import type { Resolve } from '../core/ground.ts'
import type { Lifetime } from '../core/lifetime.ts'
import { limits } from '../core/limits.ts'
import { deadline, type Timing, unlessGone } from './timing.ts'

/**
 * The system's resolver, one name at a time: it may hang, and it cannot do two things at once without threads. The others
 * wait for their turn, each no longer than its own time.
 */
export function inTurn(system: Resolve, timing: Timing): Resolve {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0

  async function one(host: string, family: 0 | 4 | 6, until: Lifetime): Promise<readonly string[]> {
    if (until.gone) throw until.gone
    const late = () => new ProxyError('DNS_FAILED', `the system's resolver did not answer for ${host}`)
    const limit = deadline(timing, limits.systemLookupMs, late, until)
    try {
      return await unlessGone(system(host, family, limit.until), limit.until)
    } finally {
      limit.done()
    }
  }

  return (host, family, until) => {
    if (waiting >= limits.systemLookups) {
      return Promise.reject(new ProxyError('DNS_FAILED', `too many names wait for the system's resolver: ${host}`))
    }
    waiting++
    const mine = last.then(() => one(host, family, until))
    last = mine.then(
      () => waiting--,
      () => waiting--,
    )
    return unlessGone(mine, until)
  }
}
