import { asList, asPlain, asText, isPlain, type Plain, without } from '../plain.ts'
import type { Taker } from '../taker.ts'
import { addressesOf, hasInverseBlock, inverse, namesOf } from './lists.ts'
import { numberOr, textOr } from './words.ts'

const strategies: Readonly<Record<string, string>> = { useip: 'USE_IP', useipv4: 'USE_IP4', useipv6: 'USE_IP6' }
const dnsKinds = { Plain: 'Keyword', Regex: 'Regex', RootDomain: 'Subdomain', Full: 'Full' } as const

export function writeDns(fields: Taker): Plain {
  const servers = asList(fields.take('servers'))
  const written = {
    ...termsOf(fields),
    nameServer: servers.length === 0 ? undefined : servers.map((server, i) => serverOf(fields, server, i)),
    staticHosts: hostsOf(fields),
    disableFallback: fields.take('disableFallback'),
    disableFallbackIfMatch: fields.take('disableFallbackIfMatch'),
  }
  fields.take('domainMatcher')
  fields.end()
  return without(written)
}

function termsOf(fields: Taker): Plain {
  const word = fields.text('queryStrategy').toLowerCase().replaceAll(/[_-]/g, '')
  if (word !== '' && !Object.hasOwn(strategies, word))
    fields.losses.say(`${fields.path}.queryStrategy`, word, 'V2Ray asks for addresses of both kinds')
  return {
    clientIp: textOr(fields.text('clientIp')),
    tag: textOr(fields.text('tag')),
    queryStrategy: strategies[word],
    disableCache: fields.take('disableCache'),
  }
}

function serverOf(dns: Taker, written: unknown, index: number): Plain {
  const fields = dns.item('servers', isPlain(written) ? written : { address: written }, index)
  const { names, lists } = namesOf(fields.texts('domains'))
  const wished = fields.texts('expectIPs')
  const expected = wished.filter((text) => text !== '*')
  if (expected.length < wished.length)
    fields.losses.say(
      `${fields.path}.expectIPs`,
      '*',
      'V2Ray has no preference: answers without these addresses are dropped',
    )
  if (hasInverseBlock(expected)) fields.losses.say(`${fields.path}.expectIPs`, expected, inverse)
  const prioritized = names.map(({ kind, value }) => ({ type: dnsKinds[kind], domain: value }))
  const server = {
    address: endpointOf(fields),
    ...termsOf(fields),
    prioritizedDomain: prioritized.length > 0 ? prioritized : undefined,
    geoDomain: lists.length > 0 ? lists : undefined,
    geoip: addressesOf(expected.filter((text) => !hasInverseBlock([text]))),
    skipFallback: fields.take('skipFallback'),
  }
  fields.end()
  return without(server)
}

/** A plain address needs a port. */
function endpointOf(fields: Taker): Plain {
  const text = fields.text('address').trim()
  const port = numberOr(fields.take('port'))
  if (/:\/\//.test(text) || /^(?:localhost|fakedns)$/i.test(text)) return { address: text }
  const [, host = text, own] = /^(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]):(\d{1,5})$/i.exec(text) ?? []
  return { network: 'UDP', address: host.replace(/^\[|\]$/g, ''), port: port ?? Number(own ?? 53) }
}

function hostsOf(fields: Taker): Plain[] | undefined {
  const hosts = Object.entries(asPlain(fields.take('hosts')))
  if (hosts.length === 0) return undefined
  return hosts.flatMap(([written, value]): Plain[] => {
    const { names } = namesOf([written], 'Full')
    const [name] = names
    const values = asList(value).map(asText)
    const path = `${fields.path}.hosts[${JSON.stringify(written)}]`
    if (!name || values.some((each) => each.startsWith('#'))) {
      fields.losses.say(
        path,
        value,
        name ? 'V2Ray has no answers by a code' : 'V2Ray 5’s own format has no lists among hosts',
      )
      return []
    }
    const head = { type: dnsKinds[name.kind], domain: name.value }
    const alias = values.find((each) => !/^[\d.]+$|:/.test(each))
    return [alias === undefined ? { ...head, ip: values } : { ...head, proxiedDomain: alias }]
  })
}
