import type { Clock } from '../core/env.ts'
import { ProxyError } from '../core/errors.ts'
import type { Resolve } from '../core/ground.ts'
import type { Lifetime } from '../core/lifetime.ts'
import { limits } from '../core/limits.ts'
import { deadline } from '../core/time/deadline.ts'
import { ofFamily } from './host-name.ts'
import { Joint } from './joint.ts'
import { unlessGone } from './unless-gone.ts'

/**
 * The system's resolver, one name at a time: it may hang, and it cannot do two things at once without threads. The others
 * wait for their turn, each no longer than its own time. Both families of a name are one look-up, however many ask.
 */
export function inTurn(system: Resolve, clock: Clock): Resolve {
  const queued = queue(system, clock)
  // More than the queue takes, so that it is the queue which says no.
  const joint = new Joint<readonly string[]>(limits.systemLookups + 1)
  return async (host, family, until) => {
    return ofFamily(await joint.join(host, until, (shared) => queued(host, shared)), family)
  }
}

function queue(system: Resolve, clock: Clock): (host: string, until: Lifetime) => Promise<readonly string[]> {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0

  async function one(host: string, until: Lifetime): Promise<readonly string[]> {
    if (until.gone) throw until.gone
    const late = () => new ProxyError('DNS_FAILED', `the system's resolver did not answer for ${host}`)
    const limit = deadline(clock, limits.systemLookupMs, late, until)
    try {
      return await unlessGone(system(host, 0, limit.until), limit.until)
    } finally {
      limit.done()
    }
  }

  return (host, until) => {
    if (waiting >= limits.systemLookups) {
      return Promise.reject(new ProxyError('DNS_FAILED', `too many names wait for the system's resolver: ${host}`))
    }
    waiting++
    const mine = last.then(() => one(host, until))
    last = mine.then(
      () => waiting--,
      () => waiting--,
    )
    return unlessGone(mine, until)
  }
}
