import type { Cancel, Clock } from '../core/env.ts'
import { ProxyError } from '../core/errors.ts'
import { Life, type Lifetime } from '../core/lifetime.ts'
import { limits } from '../core/limits.ts'
import type { Answer, NameServer, Question, RecordType } from './answer.ts'
import { Cache } from './cache.ts'
import { isNowhere } from './host-name.ts'
import { Joint } from './joint.ts'

export interface Found {
  readonly addresses: readonly string[]
  /** The name is there, perhaps without addresses of the families asked for. */
  readonly exists: boolean
}

/** Name servers with a cache before them, asked once for a question however many wait for it. */
export class Upstream {
  readonly #server: NameServer
  readonly #clock: Clock
  readonly #cache: Cache
  readonly #joint = new Joint<Answer>(limits.dnsQuestions)

  constructor(server: NameServer, clock: Clock) {
    this.#server = server
    this.#clock = clock
    this.#cache = new Cache(clock)
  }

  /**
   * Addresses of these types, IPv6 first, asked for together. When one type has answered with addresses the others get
   * `limits.dnsOtherFamilyMs` more: some servers never answer questions for the type that a name does not have. Rejects
   * when none has answered.
   */
  async addresses(name: string, types: readonly RecordType[], until: Lifetime): Promise<Found> {
    if (isNowhere(name)) return { addresses: [], exists: false }
    const answers = await this.#together(name, types, until)
    return {
      addresses: answers.flatMap((answer) => answer.addresses),
      exists: answers.some((answer) => answer.exists),
    }
  }

  async #together(name: string, types: readonly RecordType[], until: Lifetime): Promise<Answer[]> {
    const wait = new Life()
    const leave = until.onGone((why) => wait.end(why))
    let cancelTimer: Cancel | undefined
    const late = (): void => wait.end(new ProxyError('DNS_FAILED', `no answer in time for the other family of ${name}`))
    const settled = await Promise.allSettled(
      types.map(async (type) => {
        const answer = await this.#answer({ name, type }, wait)
        if (answer.addresses.length > 0) cancelTimer ??= this.#clock.after(limits.dnsOtherFamilyMs, late)
        return answer
      }),
    )
    leave()
    cancelTimer?.()
    const answers = settled.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
    const failed = settled.find((each) => each.status === 'rejected')
    if (failed && !answers.some((answer) => answer.addresses.length > 0)) throw failed.reason
    return answers
  }

  async #answer(question: Question, until: Lifetime): Promise<Answer> {
    const key = `${question.type} ${question.name}`
    const known = this.#cache.get(key)
    if (known) return known
    return this.#joint.join(key, until, async (shared) => {
      const answer = await this.#server.ask(question, shared)
      this.#cache.set(key, answer)
      return answer
    })
  }
}
