import { readFileSync } from 'node:fs'
import { domainRules } from '../../config/routing/names.ts'
import type { Conn } from '../../core/conn.ts'
import type { Layer, Listener, Outbound } from '../../core/dialer.ts'
import type { Env, ReadText } from '../../core/env.ts'
import { ProxyError, toProxyError } from '../../core/errors.ts'
import type { Ground, Resolve } from '../../core/ground.ts'
import { type NameService, resolveWith } from '../../core/name-service.ts'
import { systemNames } from '../../dns/client/system.ts'
import type { InboundDeps, Kinds, LayerDeps, TransportKind } from '../../kinds/kinds.ts'
import { sharerOf } from '../../kinds/sharing.ts'
import { udpListener } from '../../net/datagrams/udp-listener.ts'
import { httpPost } from '../../net/http-post.ts'
import { happyEyeballs } from '../../net/names/happy-eyeballs.ts'
import { type TcpOptions, tcpListener } from '../../net/tcp.ts'
import type { FindFile } from '../../routing/geo/lists.ts'
import type { InboundConfig, OutboundConfig } from '../../settings/model.ts'
import type { ProxyTrust } from '../../settings/trust.ts'
import { proxiedListener } from '../../transport/proxyprotocol/listener.ts'
import { dialerStack } from '../../transport/stack.ts'
import { plainSite } from '../../transport/website/plain.ts'
import { withRules } from '../dns/rule-language.ts'
import type { InboundParts } from '../inbound/running-inbound.ts'
import { alone, type SharedPorts } from '../inbound/shared/shared-ports.ts'
import { autoSecurity } from './auto-security.ts'
import { refusalBy, refusing } from './final-rules.ts'
import { type GroundOptions, systemGround } from './ground.ts'
import { localAddresses } from './local-addresses.ts'
import { namesOver, overSocket } from './reach.ts'
import { readSwitches } from './switches.ts'
import { resolvingTargets } from './target-strategy.ts'
import { type FindOutbound, throughOutbound } from './through.ts'
import { websiteOf } from './website.ts'

export const readTextFile: ReadText = (path) => readFileSync(path, 'utf8')

/** Reads as `read` does, and enters what was read in `files` until they are frozen: by that a later look tells whether something has changed. */
export const noting =
  (files: string[], read: ReadText): ReadText =>
  (path) => {
    const text = read(path)
    if (!Object.isFrozen(files)) files.push(text)
    return text
  }

export interface OutboundBuild {
  readonly kinds: Kinds
  readonly env: Env
  readonly read: ReadText
  /** The resolver of the instance: outbounds share what it knows. */
  readonly resolve: Resolve
  /** Names as the configuration has them; as `resolve` does unless given. */
  readonly names?: NameService
  /** Opens geoip.dat and the like; by default where they usually are. */
  readonly findAsset?: FindFile | undefined
  /** Bytes that one read may bring. */
  readonly readSize?: () => number
  /** Everything that it reaches the world by; this machine's unless given. */
  readonly ground?: (options: GroundOptions) => Ground
  /** Wraps the ground; loop guard and API guard sit there. */
  readonly watch?: (ground: Ground) => Ground
  /** Finds the outbounds that others go through. */
  readonly find?: FindOutbound
}

/** An outbound over its transport stack. Throws ConfigError for a certificate file that cannot be used or a list of addresses that is not there, CONFIG_INVALID for a transport. */
export function buildOutbound(config: OutboundConfig, build: OutboundBuild): Outbound {
  const { kinds, env } = build
  const { stream } = config
  const kind = kindOf(kinds.outbounds, config)
  const refusal = refusalBy(kind.finalRules?.(config.settings) ?? [], build)
  const world = groundOf(config, build)
  const ground = refusal ? refusing(world, refusal, env.log) : world
  const takesNames = config.through !== undefined && !refusal
  const transport = config.through?.withoutTransport ? undefined : transportOf(config, kinds)
  const alpn = transport?.alpn ?? kind.alpn
  const deps = layerDeps(config, alpn, { ...build, ...clientDeps })
  const dialer = building(config, () => {
    const path = transport?.socket?.(stream.transport)
    const base =
      transport?.carrier?.dialer(ground, stream.transport, deps) ??
      (path === undefined ? namesOver(ground, config, takesNames, build) : overSocket(ground.tcp, path))
    const tls = stream.tls && kinds.tls.client(stream.tls, deps)
    return dialerStack(base, layersOf(tls, transport?.layer?.(stream.transport, deps)))
  })
  const { legacyHeader, coneDisabled } = readSwitches()
  const outbound = kind.create(config.tag, config.settings, {
    env,
    dialer,
    udp: ground.udp,
    resolve: ground.resolve,
    names: build.names ?? systemNames(build.resolve),
    matchNames: (rules) => withRules(build, (language) => language.names(domainRules(rules))),
    auto: autoSecurity(),
    legacyHeader,
    coneDisabled,
    mux: config.mux,
    packetEncoding: config.packetEncoding,
  })
  const { targetStrategy } = config
  if (!targetStrategy) return outbound
  const resolve = build.names ? resolveWith(build.names) : build.resolve
  return resolvingTargets(outbound, targetStrategy, { resolve, random: env.random })
}

/** What it reaches the world by: another outbound, or sockets. */
function groundOf({ through, sendThrough, stream }: OutboundConfig, build: OutboundBuild): Ground {
  const {
    env,
    resolve,
    readSize,
    ground: make = systemGround,
    watch = (ground) => ground,
    find = () => undefined,
  } = build
  if (through) return throughOutbound(through.tag, find, resolve)
  const from = sendThrough && localAddresses(sendThrough, env.random)
  const { tcpKeepAliveIdleS: keepAliveIdleS } = stream.sockopt
  return watch(
    make({ clock: env.clock, resolve, keepAliveIdleS, ...(readSize && { readSize }), ...(from && { from }) }),
  )
}

type ServerDeps = Pick<
  LayerDeps,
  'handshakeTimeoutMs' | 'onFailedHandshake' | 'onClientAddress' | 'onAdmitted' | 'website' | 'post'
>

/** A client has none of this. */
export const clientDeps: ServerDeps = {
  handshakeTimeoutMs: 0,
  onFailedHandshake: () => {},
  onClientAddress: () => {},
  onAdmitted: () => {},
  website: plainSite,
  post: () => Promise.reject(new Error('a client asks for no OCSP answers')),
}
export const nobody: ProxyTrust = { networks: [], unix: false, headers: [] }

export interface InboundBuild extends Omit<InboundDeps, 'tag'>, Omit<ServerDeps, 'website' | 'post'> {
  readonly kinds: Kinds
  readonly read: ReadText
  /** Bytes that one read may bring. */
  readonly readSize: () => number
  /** The addresses of the instance. */
  readonly shared: SharedPorts
  /** See TcpOptions. */
  readonly onAccept: (conn: Conn, fd: number) => boolean
  /** Wraps the ground by which a fallback server is reached. */
  readonly watch: (ground: Ground) => Ground
  /** Of the instance. */
  readonly resolve: Resolve
  /** What listens on TCP for an inbound that several threads serve; absent: sockets of this thread. */
  readonly sockets?: (options: TcpOptions) => Listener
  /** What listens in this thread, where others may have had the address. */
  readonly after?: (base: Listener) => Listener
}

/** An inbound's handler, what accepts for it, and the layers between the two. Throws as buildOutbound(). */
export function buildInbound(config: InboundConfig, build: InboundBuild): InboundParts {
  const { kinds, env, resolve, readSize, onAccept, shared, watch, handshakeTimeoutMs, onFailedHandshake } = build
  const { stream } = config
  const files: string[] = []
  const transport = transportOf(config, kinds)
  const kind = kindOf(kinds.inbounds, config)
  const { alpn = kind.alpn, alpnServed = alpn } = transport
  const { tcpKeepAliveIdleS: keepAliveIdleS, v6Only: ipv6Only = false, acceptProxyProtocol: proxied } = stream.sockopt
  const ground = watch(systemGround({ clock: env.clock, resolve, keepAliveIdleS, readSize }))
  const dialer = happyEyeballs(ground.tcp, { resolve, clock: env.clock, log: env.log })
  const website = building(config, () => websiteOf(stream.fallback, { env, dialer }))
  const post = httpPost(dialer, env.clock)
  const deps = layerDeps(config, alpnServed, { ...build, website, post, read: noting(files, build.read) })
  const { oneThread } = config
  const spread = oneThread === undefined ? build.sockets : undefined
  const { after = (base) => base } = build
  const options = { keepAliveIdleS, readSize, onAccept, ipv6Only }
  const sockets = spread ? spread(options) : after(tcpListener(options))
  return building(config, () => {
    const secure = stream.tls && kinds.tls.server(stream.tls, deps)
    Object.freeze(files)
    const sharer = sharerOf(config, kinds)
    const names = () => secure?.names() ?? []
    return {
      config,
      handler: kind.create(config.settings, { ...build, tag: config.tag }),
      base: transport.carrier
        ? alone(transport.carrier.listener(udpListener({ ipv6Only }), stream.transport, deps))
        : shared.over(proxied ? proxiedListener(sockets, { ...build, clock: build.env.clock }) : sockets),
      udp: udpListener({ ipv6Only }),
      binding: {
        sockopt: stream.sockopt,
        spread: spread !== undefined,
        ...(transport.carrier && { carrier: transport.name, of: stream.transport }),
      },
      secure,
      layers: layersOf(transport.layer?.(stream.transport, deps)),
      claim: sharer && { sharer, names, secure, handshakeTimeoutMs, refused: onFailedHandshake },
      files,
    }
  })
}

const layerDeps = (
  { stream }: InboundConfig | OutboundConfig,
  alpn: LayerDeps['alpn'],
  { env, read, ...server }: ServerDeps & { readonly env: Env; readonly read: ReadText },
): LayerDeps => ({
  env,
  read,
  secure: stream.tls !== undefined,
  serverName: stream.tls?.serverName ?? '',
  alpn,
  trust: 'trust' in stream ? stream.trust : nobody,
  handshakeTimeoutMs: server.handshakeTimeoutMs,
  onFailedHandshake: server.onFailedHandshake,
  onClientAddress: server.onClientAddress,
  onAdmitted: server.onAdmitted,
  website: server.website,
  post: server.post,
})

/** What layers cannot be made of is a mistake in the configuration, which is named. */
function building<T>({ at }: InboundConfig | OutboundConfig, build: () => T): T {
  try {
    return build()
  } catch (error) {
    if (error instanceof ProxyError) throw error
    const { code, message } = toProxyError(error, 'CONFIG_INVALID')
    throw new ProxyError(code, `${at}.streamSettings: ${message}`, { cause: error })
  }
}

/** Innermost first: TLS lies under the transport. */
const layersOf = (...layers: readonly (Layer | undefined)[]): readonly Layer[] =>
  layers.filter((layer) => layer !== undefined)

const transportOf = ({ stream: { network } }: InboundConfig | OutboundConfig, { transports }: Kinds): TransportKind =>
  transports.find(({ name }) => name === network) ?? unknownKind(`transport "${network}"`)

/** The kinds of a configuration are those that it was loaded with. */
const kindOf = <K extends { readonly kind: string }>(kinds: readonly K[], config: { readonly protocol: string }): K =>
  kinds.find(({ kind }) => kind === config.protocol) ?? unknownKind(`protocol "${config.protocol}"`)

function unknownKind(what: string): never {
  throw new ProxyError('CONFIG_INVALID', `the ${what} is not among the kinds that were given`)
}
