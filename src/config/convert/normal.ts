/**
 * One spelling for everything that V2Ray 4 and Xray write in several ways, so that writers need to know one: names of keys in
 * their letter case, old forms in their new place, lists as lists, names of protocols and transports without aliases.
 * Nothing is left out.
 */
import type { Kinds } from '../../kinds/kinds.ts'
import { spellings } from './names.ts'
import { normalInbound, normalOutbound } from './normal-ends.ts'
import { asList, asPlain, asTexts, isPlain, type Plain, without } from './plain.ts'

/** Objects whose keys are names of the user's. */
const free: ReadonlySet<string> = new Set(['headers', 'hosts', 'attrs', 'env'])

export function normalise(root: unknown, kinds: Kinds): Plain {
  const { inbound, inboundDetour, outbound, outboundDetour, transport, port, ...whole } = asPlain(spelled(root))
  const defaults = asPlain(transport)
  const inbounds = [...asList(inbound), ...asList(inboundDetour), ...asList(whole.inbounds)].map((end, i) =>
    normalInbound(i === 0 && port !== undefined ? { port, ...asPlain(end) } : asPlain(end), defaults, kinds),
  )
  const outbounds = [...asList(outbound), ...asList(outboundDetour), ...asList(whole.outbounds)].map((end) =>
    normalOutbound(asPlain(end), defaults, kinds),
  )
  return without({
    ...whole,
    inbounds: inbounds.length > 0 || whole.inbounds ? inbounds : undefined,
    outbounds: outbounds.length > 0 || whole.outbounds ? onceTagged(outbounds) : undefined,
    routing: whole.routing === undefined ? undefined : routing(asPlain(whole.routing)),
    dns: whole.dns === undefined ? undefined : dns(asPlain(whole.dns)),
  })
}

/** Of several with one tag rules find the last; the others keep their place only. */
function onceTagged(outbounds: readonly Plain[]): Plain[] {
  const last = new Map(outbounds.map(({ tag }, i) => [tag, i]))
  return outbounds.map(({ tag, ...end }, i) => (tag === undefined || last.get(tag) !== i ? end : { tag, ...end }))
}

function spelled(value: unknown, own = false): unknown {
  if (Array.isArray(value)) return value.map((item) => spelled(item))
  if (!isPlain(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
      if (member === null || /^(?:\$schema$|\/\/|_comment)/.test(key)) return []
      const name = own ? key : (spellings.get(key.toLowerCase()) ?? key)
      return [[name, spelled(member, free.has(name) && !own)]]
    }),
  )
}

function routing({ settings, strategy: _old, ...rest }: Plain): Plain {
  const inner = asPlain(settings)
  const rules = [...asList(rest.rules), ...asList(inner.rules)].map((each) => rule(asPlain(each)))
  const balancers = asList(rest.balancers).map((each) => {
    const { selector, ...balancer } = asPlain(each)
    return { ...balancer, selector: asTexts(selector) }
  })
  return without({
    domainStrategy: inner.domainStrategy,
    ...rest,
    rules,
    ...(balancers.length > 0 && { balancers }),
  })
}

const lists = ['ip', 'source', 'localIP', 'user', 'inboundTag', 'protocol'] as const

function rule({ domains, sourceIP, ...rest }: Plain): Plain {
  const written: Plain = { ...rest, source: sourceIP ?? rest.source }
  const names = [...asTexts(written.domain), ...asTexts(domains)]
  return without({
    type: 'field',
    ...written,
    ...Object.fromEntries(
      lists.flatMap((key) => (written[key] === undefined ? [] : [[key, nonEmpty(asTexts(written[key]))]])),
    ),
    domain: nonEmpty(names),
    network: written.network === undefined ? undefined : asTexts(written.network).join(',').toLowerCase() || undefined,
  })
}

const nonEmpty = (texts: readonly string[]) => (texts.length > 0 ? texts : undefined)

function dns(input: Plain): Plain {
  const servers = asList(input.servers).map((server) => {
    if (!isPlain(server)) return server
    const { expectedIPs, expectIPs, domains, unexpectedIPs, ...rest } = server
    return without({
      ...rest,
      domains: nonEmpty(asTexts(domains)),
      expectIPs: nonEmpty(asTexts(expectedIPs ?? expectIPs)),
      unexpectedIPs: nonEmpty(asTexts(unexpectedIPs)),
    })
  })
  return without({ ...input, servers: input.servers === undefined ? undefined : servers })
}
