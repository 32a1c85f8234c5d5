import { readFileSync } from 'node:fs'
import type { Layer, Listener, Outbound } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import type { ProxyError } from '../../core/errors.ts'
import type { Ground, Resolve } from '../../core/ground.ts'
import type { Inbound } from '../../core/inbound.ts'
import { happyEyeballs } from '../../net/happy-eyeballs.ts'
import { tcpListener } from '../../net/tcp.ts'
import type { InboundConfig, OutboundConfig } from '../../settings/model.ts'
import { dialerStack } from '../../transport/stack.ts'
import { loadTlsClient, loadTlsServer, type ReadText } from '../../transport/tls/files.ts'
import { tlsClientLayer, tlsServerLayer } from '../../transport/tls/layer.ts'
import { autoSecurity } from './auto-security.ts'
import { type InboundDeps, inbounds, type OutboundDeps, outbounds, transports } from './builtin.ts'
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

/** An outbound over its transport stack. Throws ConfigError for a certificate file that cannot be used. */
export function buildOutbound(config: OutboundConfig, build: OutboundBuild): Outbound {
  const { env, read, resolve, readSize, ground: make = systemGround, watch = (ground) => ground } = build
  const { stream } = config
  const tls = stream.tls && tlsClientLayer(loadTlsClient(stream.tls, read))
  const { tcpKeepAliveIdleS: keepAliveIdleS } = stream.sockopt
  const ground = watch(make({ clock: env.clock, resolve, keepAliveIdleS, ...(readSize && { readSize }) }))
  const { clock, log } = env
  const named = happyEyeballs(ground.tcp, { resolve: ground.resolve, clock, log })
  const dialer = dialerStack(named, layersOf(tls, transports[stream.network]()))
  // The table is typed kind by kind; a union of kinds has lost which settings go with which function.
  const create = outbounds[config.protocol] as (tag: string, settings: unknown, deps: OutboundDeps) => Outbound
  return create(config.tag, config.settings, {
    env,
    dialer,
    udp: ground.udp,
    resolve: ground.resolve,
    auto: autoSecurity(),
    legacyHeader: readSwitches().legacyHeader,
  })
}

export interface InboundBuild extends InboundDeps {
  readonly read: ReadText
  /** Bytes that one read may bring. */
  readonly readSize: () => number
  readonly onDescriptor: (fd: number) => void
  readonly onFailedHandshake: (remote: string, error: ProxyError) => void
  readonly handshakeTimeoutMs: number
}

/** An inbound's handler, what accepts for it, and the layers between the two. Throws ConfigError likewise. */
export function buildInbound(
  config: InboundConfig,
  build: InboundBuild,
): { handler: Inbound; base: Listener; layers: readonly Layer[]; files: readonly string[] } {
  const { stream } = config
  const files: string[] = []
  const tls =
    stream.tls &&
    tlsServerLayer(loadTlsServer(stream.tls, noting(files, build.read)), {
      clock: build.env.clock,
      onError: build.onFailedHandshake,
      handshakeTimeoutMs: build.handshakeTimeoutMs,
    })
  const { readSize, onDescriptor } = build
  const base = tcpListener({ keepAliveIdleS: stream.sockopt.tcpKeepAliveIdleS, readSize, onDescriptor })
  const layers = layersOf(tls, transports[stream.network]())
  const create = inbounds[config.protocol] as (settings: unknown, deps: InboundDeps) => Inbound
  return { handler: create(config.settings, build), base, layers, files }
}

/** Innermost first: TLS lies under the transport. */
const layersOf = (tls: Layer | undefined, transport: readonly Layer[]): readonly Layer[] =>
  tls ? [tls, ...transport] : transport
