import type { Address } from '../../core/address.ts'
import type { PacketDialer } from '../../core/datagrams/packet.ts'
import type { Dialer } from '../../core/dialer.ts'
import type { Random } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import type { NameAnswer, RecordType } from '../../core/name-service.ts'
import { askByDatagram, askByStream } from '../exchange.ts'
import type { Query, Reply } from '../wire.ts'
import { rcodeNumber } from '../wire.ts'
import type { NameSource } from './source.ts'

export interface AskedServerDeps {
  readonly udp: PacketDialer
  readonly tcp: Dialer
  readonly random: Random
}

/** How long an answer holds that does not say it, s: as with Xray. */
const untoldTtlS = 300

/** A server asked over UDP, or over TCP: from the start, or where the answer did not fit. */
export class AskedServer implements NameSource {
  readonly #address: Address
  readonly #deps: AskedServerDeps
  readonly #stream: boolean
  readonly #subnet: string
  readonly #routed: boolean

  /**
   * @param subnet an address of the network that the server is told of; `''`: none
   * @param routed rules may lead queries elsewhere
   */
  constructor(
    address: Address,
    deps: AskedServerDeps,
    { stream, subnet, routed }: { stream: boolean; subnet: string; routed: boolean },
  ) {
    this.#address = address
    this.#deps = deps
    this.#stream = stream
    this.#subnet = subnet
    this.#routed = routed
  }

  async ask(name: string, type: RecordType, until: Lifetime): Promise<NameAnswer> {
    const query: Query = {
      id: this.#deps.random.below(0x10000),
      question: { name: name.toLowerCase(), type },
      written: name,
      edns: false,
      ...(this.#subnet && { subnet: this.#subnet }),
    }
    return answerIn(await this.#exchange(query, until), type)
  }

  async #exchange(query: Query, until: Lifetime): Promise<Reply> {
    if (!this.#stream) {
      const reply = await askByDatagram(this.#deps.udp, this.#address, query, until, this.#routed)
      if (!reply.truncated) return reply
    }
    return askByStream(this.#deps.tcp, this.#address, query, until)
  }
}

/** Addresses count whatever name they stand beside: servers are trusted to follow aliases. */
export function answerIn(reply: Reply, type: RecordType): NameAnswer {
  const rcode = rcodeNumber(reply.rcode)
  if (rcode === undefined) throw new ProxyError('DNS_FAILED', `the name server answers ${reply.rcode}`)
  const found = reply.records.flatMap((each) => (each.kind === 'address' ? each : []))
  const addresses = [...new Set(found.map(({ address }) => address))]
    .filter((address) => address.includes(':') === (type === 'AAAA'))
    .slice(0, limits.dnsAddresses)
  const told = reply.records.length > 0 ? Math.min(...reply.records.map(({ ttlS }) => ttlS)) : untoldTtlS
  return { rcode, addresses, ttlS: Math.min(Math.max(1, told), limits.dnsTtlMaxS) }
}
