import type { z } from 'zod'
import type { ConnInfo } from '../core/conn.ts'
import type { UdpListener } from '../core/datagrams/packet.ts'
import type { Dialer, Layer, Listener } from '../core/dialer.ts'
import type { Env, ReadText } from '../core/env.ts'
import type { ProxyError } from '../core/errors.ts'
import type { Ground } from '../core/ground.ts'
import type { Website } from '../core/website.ts'
import type { MessageForm } from '../messages/form.ts'
import type { SecurityForm, TransportForm } from '../schema/kind.ts'
import type { TlsClientConfig, TlsServerConfig } from '../settings/model.ts'
import type { ProxyTrust } from '../settings/trust.ts'
import type { Opening } from './opening.ts'

/** What the layers of a stream may be made with. The host of the server comes with every dial. */
export interface LayerDeps {
  /** Clock, random bytes and log. */
  readonly env: Env
  /** For files that the settings name. */
  readonly read: ReadText
  /** Sends bytes to an http: URL and resolves with what its server answers: for OCSP. */
  readonly post: (url: string, body: Uint8Array, type: string) => Promise<Uint8Array>
  /** TLS lies below. */
  readonly secure: boolean
  /** The name that TLS asks for; `''`: the host of the server. */
  readonly serverName: string
  /** The application protocols that the transport can be carried behind; undefined: any. */
  readonly alpn: readonly string[] | undefined
  /** A client's time for its handshake. */
  readonly handshakeTimeoutMs: number
  /** What whoever is not for the proxy meets on a server. */
  readonly website: Website
  /** Whom a server believes where a client is. */
  readonly trust: ProxyTrust
  /** Told where a client is that came by a proxy: whatever counts connections by address counts it there. */
  readonly onClientAddress: (carrier: ConnInfo, client: string) => void
  /** Told of a connection whose client has shown on another one who it is. */
  readonly onAdmitted: (carrier: ConnInfo) => void
  /** Told of clients whose handshake failed, once each. */
  readonly onFailedHandshake: (remote: string, error: ProxyError) => void
}

/** What a link says of its transport, whichever form it has; each form maps its own keys to these words. */
export interface TransportWords {
  readonly network: string
  /** Header type of tcp, kcp and quic. */
  readonly headerType?: string
  /** Host header, or a comma-separated list of them. */
  readonly host?: string
  readonly path?: string
  readonly mode?: string
  /** JSON of further settings of xhttp. */
  readonly extra?: string
  readonly serviceName?: string
  readonly authority?: string
  readonly seed?: string
  readonly quicSecurity?: string
  readonly key?: string
  /** Early data given beside the path instead of inside it. */
  readonly ed?: string
  readonly eh?: string
  readonly uplinkCapacity?: string
  readonly downlinkCapacity?: string
  /** How the link calls the field, for messages. */
  readonly part: string
}

/** How links say a transport that is not among the ones that all of them know (src/config/link/model.ts). */
export interface LinkForm {
  /** The settings as JSON, for the loader to check. */
  read(words: TransportWords): Readonly<Record<string, unknown>>
  /** What a v2rayN link says of them. */
  write(settings: Readonly<Record<string, unknown>>): Readonly<Record<'type' | 'host' | 'path', string>>
}

/** Everything about a transport. Without `layer`, `socket` and `carrier` it is TCP as it is. */
export interface TransportKind<S extends z.ZodType = z.ZodType, K extends string = string, T = unknown>
  extends TransportForm<S, K, T> {
  /** How the gRPC API says its settings, by several names where families differ; absent: they cannot be given there. */
  readonly message?: MessageForm | readonly MessageForm[]
  readonly link?: LinkForm
  /** The application protocols that it can be carried behind, best first: TLS offers no other. Absent: any. */
  readonly alpn?: readonly string[]
  /** The same of a server, where it offers more so as not to stand out. Absent: `alpn`. */
  readonly alpnServed?: readonly string[]
  /** How its connections begin, so that it can share a port; undefined: as the protocol in it does. */
  opening?(settings: T): Opening | undefined
  /** What lies over TCP, and over TLS where that is asked for. Undefined: nothing, with these settings. What it throws is a mistake in them. */
  layer?(settings: T, deps: LayerDeps): Layer | undefined
  /** The path of the unix socket, as Address.path, that it is carried by instead of TCP, at both ends. */
  socket?(settings: T): string
  /** Several of the connections below bring one: they have to come to the same thread. */
  readonly manyCarriers?: boolean
  /** For a transport that is not carried by TCP, such as one over datagrams; TLS lies over it. */
  readonly carrier?: {
    dialer(ground: Ground, settings: T, deps: LayerDeps): Dialer
    listener(udp: UdpListener, settings: T, deps: LayerDeps): Listener
  }
}

export const defineTransport = <S extends z.ZodType, K extends string, T>(
  kind: TransportKind<S, K, T>,
): TransportKind<S, K, T> => kind

/** TLS on the accepting side. */
export interface SecurityLayer extends Layer {
  /** What its certificates are for, in lower case: names, `*.parent`, and `*` for any. They change with the files. */
  names(): readonly string[]
}

/**
 * Everything about what protects a transport. There is one, TLS, and a configuration has a place of its own for it: Node
 * can do no other (REALITY and XTLS need a TLS library of their own).
 */
export interface SecurityKind<S extends z.ZodType = z.ZodType>
  extends SecurityForm<S, TlsClientConfig, TlsServerConfig> {
  readonly message: MessageForm
  client(settings: TlsClientConfig, deps: LayerDeps): Layer
  server(settings: TlsServerConfig, deps: LayerDeps): SecurityLayer
}

export const defineSecurity = <S extends z.ZodType>(kind: SecurityKind<S>): SecurityKind<S> => kind
