import type { Clock } from '../core/env.ts'
import { ProxyError } from '../core/errors.ts'
import type { Lifetime } from '../core/lifetime.ts'
import { limits } from '../core/limits.ts'
import type { Answer, NameServer, Question } from './answer.ts'

export interface ServerListOptions {
  /** How often the whole list is gone through, 1 or more. */
  readonly attempts: number
  /** Begin with another server each time. */
  readonly rotate: boolean
}

/**
 * Several name servers as one: asked in order, each after the one before it failed. One that says nothing, to nobody, comes
 * last for a while, so that a dead first server does not cost its time-out with every name. One that leaves a single name
 * unanswered keeps its place: what is only known there would otherwise seem not to exist.
 */
export class ServerList implements NameServer {
  readonly label: string
  readonly #servers: readonly NameServer[]
  readonly #options: ServerListOptions
  readonly #clock: Clock
  /** When each that failed may come first again, in elapsed ms. */
  readonly #restingUntil = new Map<NameServer, number>()
  #turn = 0

  constructor(servers: readonly NameServer[], options: ServerListOptions, clock: Clock) {
    this.label = servers.map((server) => server.label).join(', ')
    this.#servers = servers
    this.#options = options
    this.#clock = clock
  }

  get heardMs(): number | undefined {
    const heard = this.#servers.flatMap((server) => server.heardMs ?? [])
    return heard.length > 0 ? Math.max(...heard) : undefined
  }

  async ask(question: Question, until: Lifetime): Promise<Answer> {
    const said = new Map<NameServer, string>()
    const order = this.#order()
    for (let attempt = 0; attempt < this.#options.attempts; attempt++) {
      for (const server of order) {
        const startMs = this.#clock.elapsed()
        try {
          const answer = await server.ask(question, until)
          this.#restingUntil.delete(server)
          return answer
        } catch (error) {
          if (until.gone) throw until.gone
          said.set(server, error instanceof Error ? error.message : String(error))
          if ((server.heardMs ?? -1) < startMs) this.#rest(server)
        }
      }
    }
    throw new ProxyError('DNS_FAILED', `cannot resolve ${question.name}: ${[...said.values()].join('; ')}`)
  }

  #rest(server: NameServer): void {
    this.#restingUntil.set(server, this.#clock.elapsed() + limits.dnsServerRestMs)
  }

  #order(): NameServer[] {
    const now = this.#clock.elapsed()
    const start = this.#options.rotate ? this.#turn++ % this.#servers.length : 0
    const turned = [...this.#servers.slice(start), ...this.#servers.slice(0, start)]
    const resting = (server: NameServer): boolean => (this.#restingUntil.get(server) ?? 0) > now
    return [...turned.filter((server) => !resting(server)), ...turned.filter(resting)]
  }
}
