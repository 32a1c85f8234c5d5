import { type Address, formatAddress } from '../core/address.ts'
import type { PacketDialer } from '../core/datagrams/packet.ts'
import type { Dialer } from '../core/dialer.ts'
import type { Clock, Random } from '../core/env.ts'
import { ProxyError } from '../core/errors.ts'
import type { Lifetime } from '../core/lifetime.ts'
import { deadline } from '../core/time/deadline.ts'
import type { Answer, NameServer, Question } from './answer.ts'
import { answerOf, refusesEdns } from './answer-of-reply.ts'
import { askByDatagram, askByStream } from './exchange.ts'
import type { Query, Reply } from './wire.ts'

export interface UdpServerDeps {
  readonly udp: PacketDialer
  readonly tcp: Dialer
  readonly clock: Clock
  readonly random: Random
}

export interface UdpServerOptions {
  /** How long one query may take, everything included, ms. */
  readonly timeoutMs: number
  /** Ask over TCP from the start. */
  readonly alwaysTcp?: boolean
}

/**
 * An ordinary name server: asked by datagram, and over TCP where the answer did not fit. It is told by EDNS how large a
 * datagram may be, until it refuses that, or answers only a query that goes without it: some boxes on the way drop what
 * they do not know.
 */
export class UdpServer implements NameServer {
  readonly label: string
  readonly #address: Address
  readonly #deps: UdpServerDeps
  readonly #options: UdpServerOptions
  #heardMs: number | undefined
  #edns: 'yes' | 'doubted' | 'no' = 'yes'

  constructor(address: Address, deps: UdpServerDeps, options: UdpServerOptions) {
    this.label = formatAddress(address)
    this.#address = address
    this.#deps = deps
    this.#options = options
  }

  get heardMs(): number | undefined {
    return this.#heardMs
  }

  async ask(question: Question, until: Lifetime): Promise<Answer> {
    const { timeoutMs } = this.#options
    const silent = () =>
      new ProxyError('DNS_FAILED', `name server ${this.label}: no answer within ${timeoutMs / 1000} s`)
    const limit = deadline(this.#deps.clock, timeoutMs, silent, until)
    const edns = this.#edns === 'yes'
    try {
      const reply = await this.#reply(question, edns, limit.until)
      this.#heardMs = this.#deps.clock.elapsed()
      if (this.#edns === 'doubted') this.#edns = edns ? 'yes' : 'no'
      return answerOf(question, reply, this.label)
    } catch (error) {
      // Of a server that answers neither way nothing is known: the next query tries the other.
      if (limit.until.gone && !until.gone && this.#edns !== 'no') this.#edns = edns ? 'doubted' : 'yes'
      throw error
    } finally {
      limit.done()
    }
  }

  async #reply(question: Question, edns: boolean, until: Lifetime): Promise<Reply> {
    const reply = await this.#exchange({ id: this.#deps.random.below(0x10000), question, edns }, until)
    if (!edns || !refusesEdns(reply)) return reply
    this.#edns = 'no'
    return this.#reply(question, false, until)
  }

  async #exchange(query: Query, until: Lifetime): Promise<Reply> {
    const { udp, tcp } = this.#deps
    if (!this.#options.alwaysTcp) {
      const reply = await askByDatagram(udp, this.#address, query, until)
      if (!reply.truncated) return reply
    }
    return askByStream(tcp, this.#address, query, until)
  }
}
