import { readFileSync } from 'node:fs'
import type { Conn } from '../../core/conn.ts'
import type { UdpListener } from '../../core/datagrams/packet.ts'
import type { Layer, Listener, Outbound } from '../../core/dialer.ts'
import type { Env, ReadText } from '../../core/env.ts'
import { ProxyError, toProxyError } from '../../core/errors.ts'
import type { Ground, Resolve } from '../../core/ground.ts'
import type { Inbound } from '../../core/inbound.ts'
import type { InboundDeps, Kinds, LayerDeps, TransportKind } from '../../kinds/kinds.ts'
import { udpListener } from '../../net/datagrams/udp-listener.ts'
import { happyEyeballs } from '../../net/names/happy-eyeballs.ts'
import { tcpListener } from '../../net/tcp.ts'
import type { InboundConfig, OutboundConfig } from '../../settings/model.ts'
import { dialerStack } from '../../transport/stack.ts'
import { autoSecurity } from './auto-security.ts'
import { type GroundOptions, systemGround } from './ground.ts'
import { readSwitches } from './switches.ts'

export const readTextFile: ReadText = (path) => readFileSync(path, 'utf8')

/** Reads as `read` does, and enters what was read in `files`: by that a later look tells whether something has changed. */
export const noting =
  (files: string[], read: ReadText): ReadText =>
  (path) => {
    const text = read(path)
    files.push(text)
    return text
  }

export interface OutboundBuild {
  readonly kinds: Kinds
  readonly env: Env
  readonly read: ReadText
  /** The resolver of the instance: outbounds share what it knows. */
  readonly resolve: Resolve
  /** Bytes that one read may bring. */
  readonly readSize?: () => number
  /** Everything that it reaches the world by; this machine's unless given. */
  readonly ground?: (options: GroundOptions) => Ground
  /** Wraps the ground; loop guard and API guard sit there. */
  readonly watch?: (ground: Ground) => Ground
}

/** An outbound over its transport stack. Throws ConfigError for a certificate file that cannot be used, CONFIG_INVALID for a transport. */
export function buildOutbound(config: OutboundConfig, build: OutboundBuild): Outbound {
  const { kinds, env, resolve, readSize, ground: make = systemGround, watch = (ground) => ground } = build
  const { clock, log } = env
  const { stream } = config
  const { tcpKeepAliveIdleS: keepAliveIdleS } = stream.sockopt
  const ground = watch(make({ clock, resolve, keepAliveIdleS, ...(readSize && { readSize }) }))
  const transport = transportOf(config, kinds)
  const deps = layerDeps(config, transport, { ...build, handshakeTimeoutMs: 0, onFailedHandshake: () => {} })
  const dialer = building(config, () => {
    const base = transport.carrier
      ? transport.carrier.dialer(ground, stream.transport, deps)
      : happyEyeballs(ground.tcp, { resolve: ground.resolve, clock, log })
    const tls = stream.tls && kinds.tls.client(stream.tls, deps)
    return dialerStack(base, layersOf(tls, transport.layer?.(stream.transport, deps)))
  })
  const { legacyHeader, coneDisabled } = readSwitches()
  return kindOf(kinds.outbounds, config).create(config.tag, config.settings, {
    env,
    dialer,
    udp: ground.udp,
    resolve: ground.resolve,
    auto: autoSecurity(),
    legacyHeader,
    coneDisabled,
    mux: config.mux,
    packetEncoding: config.packetEncoding,
  })
}

type ServerDeps = Pick<LayerDeps, 'handshakeTimeoutMs' | 'onFailedHandshake'>

export interface InboundBuild extends Omit<InboundDeps, 'tag'>, ServerDeps {
  readonly kinds: Kinds
  readonly read: ReadText
  /** Bytes that one read may bring. */
  readonly readSize: () => number
  /** See TcpOptions. */
  readonly onAccept: (conn: Conn, fd: number) => boolean
}

/** An inbound's handler, what accepts for it, and the layers between the two, innermost first. Throws as buildOutbound(). */
export function buildInbound(
  config: InboundConfig,
  build: InboundBuild,
): {
  handler: Inbound
  base: Listener
  udp: UdpListener
  layers: readonly Layer[]
  files: readonly string[]
  binding: object
} {
  const { kinds, readSize, onAccept } = build
  const { stream } = config
  const files: string[] = []
  const transport = transportOf(config, kinds)
  const deps = layerDeps(config, transport, { ...build, read: noting(files, build.read) })
  const keepAliveIdleS = stream.sockopt.tcpKeepAliveIdleS
  return building(config, () => ({
    handler: kindOf(kinds.inbounds, config).create(config.settings, { ...build, tag: config.tag }),
    base: transport.carrier
      ? transport.carrier.listener(udpListener(), stream.transport, deps)
      : tcpListener({ keepAliveIdleS, readSize, onAccept }),
    udp: udpListener(),
    binding: { sockopt: stream.sockopt, ...(transport.carrier && { carrier: transport.name, of: stream.transport }) },
    layers: layersOf(stream.tls && kinds.tls.server(stream.tls, deps), transport.layer?.(stream.transport, deps)),
    files,
  }))
}

const layerDeps = (
  { stream: { tls } }: InboundConfig | OutboundConfig,
  { alpn }: TransportKind,
  { env, read, handshakeTimeoutMs, onFailedHandshake }: ServerDeps & { readonly env: Env; readonly read: ReadText },
): LayerDeps => ({
  env,
  read,
  secure: tls !== undefined,
  serverName: tls && 'serverName' in tls ? tls.serverName : '',
  alpn,
  handshakeTimeoutMs,
  onFailedHandshake,
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
