/** Inbounds and outbounds in one spelling. */
import { type Kinds, settingsKey, transportOf } from '../../kinds/kinds.ts'
import { formatUuid, parseId } from '../../protocol/vmess/users/identity.ts'
import { asList, asPlain, asText, asTexts, isEmpty, isPlain, type Plain, without } from './plain.ts'

export function normalInbound({ domainOverride, ...end }: Plain, defaults: Plain, kinds: Kinds): Plain {
  const protocol = protocolOf(end, kinds.inbounds)
  const settings = asPlain(end.settings)
  const sniffing = isPlain(end.sniffing) ? end.sniffing : undefined
  const old = domainOverride === undefined ? undefined : { enabled: true, destOverride: asTexts(domainOverride) }
  return without({
    ...end,
    protocol,
    settings: (inboundSettings[protocol] ?? ((given: Plain) => given))(settings),
    streamSettings: stream(end.streamSettings, defaults, kinds),
    sniffing: sniffing ? { ...sniffing, ...listed(sniffing, 'destOverride') } : old,
  })
}

export function normalOutbound(written: Plain, defaults: Plain, kinds: Kinds): Plain {
  const { targetStrategy, domainStrategy, ...end } = written
  const protocol = protocolOf(end, kinds.outbounds)
  const streamSettings = stream(end.streamSettings, defaults, kinds)
  const { dialerProxy, ...sockopt } = asPlain(streamSettings?.sockopt)
  const strategy = targetStrategy ?? domainStrategy
  return without({
    ...end,
    protocol,
    settings: (outboundSettings[protocol] ?? ((given: Plain) => given))(asPlain(end.settings)),
    streamSettings: streamSettings && without({ ...streamSettings, sockopt: isEmpty(sockopt) ? undefined : sockopt }),
    proxySettings: end.proxySettings ?? (dialerProxy ? { tag: dialerProxy, transportLayer: true } : undefined),
    targetStrategy: strategy === 'AsIs' || strategy === '' ? undefined : strategy,
  })
}

const listed = (owner: Plain, key: string): Plain => (owner[key] === undefined ? {} : { [key]: asTexts(owner[key]) })

interface Named {
  readonly kind: string
  readonly aliases: readonly string[]
}

function protocolOf({ protocol }: Plain, kinds: readonly Named[]): string {
  const word = asText(protocol).toLowerCase()
  return kinds.find(({ kind, aliases }) => kind === word || aliases.includes(word))?.kind ?? word
}

type Rewrite = (settings: Plain) => Plain

const inboundSettings: Readonly<Record<string, Rewrite>> = {
  vmess({ clients, users, features, ...rest }) {
    const list = asList(clients ?? users).map((user) =>
      account(typeof user === 'string' ? { id: user } : asPlain(user)),
    )
    return without({ ...rest, clients: list, detour: rest.detour ?? asPlain(features).detour })
  },
  'dokodemo-door'({ rewriteAddress, rewritePort, allowedNetwork, ...rest }) {
    const network = rest.network ?? allowedNetwork
    return without({
      ...rest,
      address: rest.address ?? rewriteAddress,
      port: rest.port ?? rewritePort,
      network: network === undefined ? undefined : asTexts(network).join(','),
    })
  },
}

const accountKeys = ['id', 'uuid', 'alterId', 'security', 'level', 'email', 'experiments'] as const

const outboundSettings: Readonly<Record<string, Rewrite>> = {
  vmess({ vnext, address, port, ...rest }) {
    const flat = address !== undefined || (vnext === undefined && (rest.id ?? rest.uuid) !== undefined)
    const own = Object.fromEntries(accountKeys.flatMap((key) => (rest[key] === undefined ? [] : [[key, rest[key]]])))
    const others = Object.fromEntries(
      Object.entries(rest).filter(([key]) => !(accountKeys as readonly string[]).includes(key)),
    )
    const servers = flat ? [{ address, port, users: [own] }] : asList(vnext).map(asPlain)
    return {
      ...others,
      vnext: servers.map((server) => ({
        ...server,
        users: asList(asPlain(server).users).map((user) => account(asPlain(user))),
      })),
    }
  },
  socks: upstream,
  http: upstream,
  freedom: ({ targetStrategy, ...rest }) => without({ ...rest, domainStrategy: targetStrategy ?? rest.domainStrategy }),
  dns: ({ rewriteAddress, rewritePort, rewriteNetwork, ...rest }) =>
    without({
      ...rest,
      address: rewriteAddress ?? rest.address,
      port: rewritePort ?? rest.port,
      network: rewriteNetwork ?? rest.network,
    }),
}

function upstream({ servers, address, port, user, pass, level, email, ...rest }: Plain): Plain {
  const login = without({ user, pass, level, email })
  const named = user !== undefined || pass !== undefined
  const flat = without({ address, port, users: named ? [login] : undefined })
  return { ...rest, servers: address === undefined ? asList(servers) : [flat] }
}

/** A custom id as the UUID that every program knows. */
function account({ uuid, ...user }: Plain): Plain {
  const id = asText(user.id ?? uuid)
  return { id: standard(id), ...without({ ...user, id: undefined }) }
}

function standard(id: string): string {
  try {
    return formatUuid(parseId(id.trim()))
  } catch {
    return id
  }
}

/** Settings of transports that are not chosen say nothing, and neither do those of TLS without TLS. */
function stream(given: unknown, defaults: Plain, kinds: Kinds): Plain | undefined {
  if (given === undefined && isEmpty(defaults)) return undefined
  const { network, method, security, tlsSettings, realitySettings: _other, ...rest } = asPlain(given)
  const word = (asText(method) || asText(network) || 'tcp').toLowerCase()
  const kind = transportOf(kinds, word)
  const names = kind ? Object.keys(kind.settingsKeys) : []
  const settings = names
    .map((key) => rest[key])
    .filter((each) => each !== undefined)
    .at(-1)
  const usual = names.map((key) => defaults[key]).find((each) => each !== undefined)
  const others = Object.fromEntries(Object.entries(rest).filter(([key]) => !key.endsWith('Settings')))
  const secure = asText(security).trim().toLowerCase() === 'tls'
  return without({
    network: kind?.name ?? word,
    ...(kind && { [settingsKey(kind)]: settings ?? usual }),
    ...(secure && { security: 'tls', tlsSettings }),
    ...others,
  })
}
