import type { Address } from '../../core/address.ts'
import type { PacketConn, PacketSink } from '../../core/datagrams/packet.ts'
import { PacketReader } from '../../core/datagrams/packet-reader.ts'
import type { Cancel } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'

/** Says what is answered to a message that was for `to`; undefined: nothing. Never rejects. */
export type ReplyTo = (message: Uint8Array, to: Address, until: Lifetime) => Promise<Uint8Array | undefined>

/** DNS over UDP with ourselves: what is sent are questions; each answer comes from whom its question was for. */
export class AnsweringPackets implements PacketConn {
  readonly info = { remote: '', local: '', largest: 65_507, encoding: 'udp', layers: ['dns'] } as const
  readonly #reply: ReplyTo
  readonly #reader = new PacketReader()
  #asking = 0
  #dropped = 0

  constructor(reply: ReplyTo) {
    this.#reply = reply
  }

  get gone(): Error | undefined {
    return this.#reader.life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#reader.life.onGone(run)
  }

  get dropped(): number {
    return this.#dropped
  }

  drainTo(sink: PacketSink): Promise<void> {
    return this.#reader.drainTo(sink)
  }

  send(bytes: Uint8Array, to: Address): boolean {
    if (this.gone || this.#asking >= limits.dnsQuestionsHeld) {
      this.#dropped++
      return false
    }
    this.#asking++
    void this.#reply(new Uint8Array(bytes), to, this.#reader.life).then((answer) => {
      this.#asking--
      if (answer && !this.#reader.deliver(answer, to)) this.#dropped++
    })
    return true
  }

  closeWrite(): void {}

  destroy(why: Error = new ProxyError('CONN_CLOSED', 'the questions are over')): void {
    this.#reader.fail(why)
  }
}
