import { readFileSync } from 'node:fs'
import type { Dialer, Layer, Listener, Outbound } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import type { ProxyError } from '../../core/errors.ts'
import type { Resolve } from '../../core/ground.ts'
import type { Inbound } from '../../core/inbound.ts'
import { happyEyeballs } from '../../net/happy-eyeballs.ts'
import { tcpDialer, tcpListener } from '../../net/tcp.ts'
import type { InboundConfig, OutboundConfig } from '../../settings/model.ts'
import { dialerStack, listenerStack } from '../../transport/stack.ts'
import { tlsLayer } from '../../transport/tls.ts'
import type { Layers } from '../inbound/port.ts'
import { autoSecurity } from './auto-security.ts'
import { type InboundDeps, inbounds, type OutboundDeps, outbounds, transports } from './builtin.ts'
import { readSwitches } from './switches.ts'
import { loadTlsClient, loadTlsServer, type ReadText } from './tls-files.ts'

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
  readonly resolve: Resolve
  /** Bytes that one read may bring. */
  readonly readSize?: () => number
  /** Wraps the TCP dialer at the bottom of the stack; the loop guard sits there. */
  readonly watch?: (base: Dialer) => Dialer
}

/** An outbound over its transport stack. Throws ConfigError for a certificate file that cannot be used. */
export function buildOutbound(
  config: OutboundConfig,
  { env, read, resolve, readSize, watch }: OutboundBuild,
): Outbound {
  const { stream } = config
  const tls = stream.tls && tlsLayer({ client: loadTlsClient(stream.tls, read) })
  const tcp = tcpDialer({ keepAliveIdleS: stream.sockopt.tcpKeepAliveIdleS, ...(readSize && { readSize }) })
  const { clock, log } = env
  const named = happyEyeballs(watch ? watch(tcp) : tcp, { resolve, clock, log })
  const dialer = dialerStack(named, layersOf(tls, transports[stream.network]()))
  // The table is typed kind by kind; a union of kinds has lost which settings go with which function.
  const create = outbounds[config.protocol] as (tag: string, settings: unknown, deps: OutboundDeps) => Outbound
  return create(config.tag, config.settings, {
    env,
    dialer,
    resolve,
    auto: autoSecurity(),
    legacyHeader: readSwitches().legacyHeader,
  })
}

export interface InboundBuild extends InboundDeps {
  readonly read: ReadText
  /** Bytes that one read may bring. */
  readonly readSize: () => number
  readonly onDescriptor: (fd: number) => void
  readonly onTlsError: (remote: string, error: ProxyError) => void
  readonly handshakeTimeoutMs: number
}

/** An inbound's handler, what accepts for it, and the layers between the two. Throws ConfigError likewise. */
export function buildInbound(
  config: InboundConfig,
  build: InboundBuild,
): { handler: Inbound; base: Listener; layers: Layers; files: readonly string[] } {
  const { stream } = config
  const files: string[] = []
  const tls =
    stream.tls &&
    tlsLayer({
      server: loadTlsServer(stream.tls, noting(files, build.read)),
      onError: build.onTlsError,
      handshakeTimeoutMs: build.handshakeTimeoutMs,
    })
  const { readSize, onDescriptor } = build
  const base = tcpListener({ keepAliveIdleS: stream.sockopt.tcpKeepAliveIdleS, readSize, onDescriptor })
  const layers = layersOf(tls, transports[stream.network]())
  const create = inbounds[config.protocol] as (settings: unknown, deps: InboundDeps) => Inbound
  return { handler: create(config.settings, build), base, layers: (under) => listenerStack(under, layers), files }
}

/** Innermost first: TLS lies under the transport. */
const layersOf = (tls: Layer | undefined, transport: readonly Layer[]): readonly Layer[] =>
  tls ? [tls, ...transport] : transport
