/** The DNS of a configuration: fixed answers, then its servers in their order. */

import { ProxyError } from '../../core/errors.ts'
import { Life, type Lifetime } from '../../core/lifetime.ts'
import type { NameAnswer, NameService, RecordType } from '../../core/name-service.ts'
import type { DnsConfig } from '../../settings/dns.ts'
import { allowedTypes } from './families.ts'
import type { FixedNames } from './fixed.ts'
import { serversFor } from './order.ts'
import type { ConfiguredServer } from './server.ts'

export interface DnsClientParts {
  readonly config: DnsConfig
  readonly fixed: FixedNames
  /** Of the hosts file; undefined where it does not count. */
  readonly system: ((name: string) => readonly string[]) | undefined
  readonly servers: readonly ConfiguredServer[]
  /** Types of which this machine has addresses. */
  readonly reachable: () => readonly RecordType[]
}

const nothing: NameAnswer = { rcode: 0, addresses: [], ttlS: 1 }
const fixedTtlS = 10

export class DnsClient implements NameService {
  readonly #parts: DnsClientParts

  constructor(parts: DnsClientParts) {
    this.#parts = parts
  }

  async lookup(written: string, types: readonly RecordType[], until: Lifetime, fake = false): Promise<NameAnswer> {
    const { config, fixed, system, servers, reachable } = this.#parts
    const name = written.endsWith('.') ? written.slice(0, -1) : written
    if (name === '') throw new ProxyError('DNS_FAILED', 'there is no name to look up')
    const asked = allowedTypes(types, config.families, reachable)
    if (asked.length === 0) return nothing
    const found = fixed.find(name.toLowerCase(), asked)
    if (!('ask' in found)) return found
    const own = system?.(found.ask) ?? []
    if (own.length > 0) {
      const addresses = own.filter((address) => asked.includes(address.includes(':') ? 'AAAA' : 'A'))
      return { rcode: 0, addresses, ttlS: fixedTtlS }
    }
    // What was not replaced is asked for as it was written.
    const question = found.ask === name.toLowerCase() ? name : found.ask
    const order = serversFor(found.ask, servers, config, fake)
    return config.parallel ? inGroups(order, question, asked, until) : inTurn(order, question, asked, until)
  }
}

/** Until one has addresses; otherwise what the last one that answered said. */
async function inTurn(
  servers: readonly ConfiguredServer[],
  name: string,
  types: readonly RecordType[],
  until: Lifetime,
): Promise<NameAnswer> {
  let last: NameAnswer | undefined
  const said: string[] = []
  for (const server of servers) {
    try {
      const answer = await server.ask(name, types, until)
      if (answer && answer.addresses.length > 0) return answer
      last = answer ?? last ?? nothing
    } catch (error) {
      if (until.gone) throw until.gone
      said.push(error instanceof Error ? error.message : String(error))
    }
  }
  if (last) return last
  throw new ProxyError('DNS_FAILED', `cannot resolve ${name}: ${said.join('; ')}`)
}

/** All at once. Neighbours with equal settings are one group, of which the first answer counts; groups count in their order. */
async function inGroups(
  servers: readonly ConfiguredServer[],
  name: string,
  types: readonly RecordType[],
  until: Lifetime,
): Promise<NameAnswer> {
  const over = new Life()
  const leave = until.onGone((why) => over.end(why))
  const asked = groupsOf(servers).map((group) => {
    const all = group.map((server) => server.ask(name, types, over).then((answer) => answer ?? nothing))
    const telling = all.map(async (each) => {
      const answer = await each
      if (answer.addresses.length === 0) throw answer
      return answer
    })
    return Promise.any(telling).catch(async () => {
      const settled = await Promise.allSettled(all)
      return settled.find((each) => each.status === 'fulfilled')?.value ?? settled[0]
    })
  })
  try {
    let last: NameAnswer | undefined
    for (const group of asked) {
      const answer = await group
      if (!answer || 'status' in answer) continue
      if (answer.addresses.length > 0) return answer
      last = answer
    }
    if (until.gone) throw until.gone
    if (last) return last
    throw new ProxyError('DNS_FAILED', `cannot resolve ${name}: no name server has answered`)
  } finally {
    leave()
    over.end(new ProxyError('DNS_FAILED', 'another server has answered'))
  }
}

function groupsOf(servers: readonly ConfiguredServer[]): ConfiguredServer[][] {
  const groups: ConfiguredServer[][] = []
  let key: string | undefined
  for (const server of servers) {
    const { label, address, path, kind, ...terms } = server.config
    const own = JSON.stringify(terms)
    if (own === key) groups.at(-1)!.push(server)
    else groups.push([server])
    key = own
  }
  return groups
}
