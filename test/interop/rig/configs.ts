/** Configuration files for a client and a server that fit together. Both programs read the same file. */

import { join } from 'node:path'
import { projectRoot } from './root.ts'

const fixtures = join(projectRoot, 'test/fixtures')
export const certificateFile = join(fixtures, 'localhost.crt')
export const keyFile = join(fixtures, 'localhost.key')

export interface Link {
  readonly port: number
  readonly security?: string
  readonly alterId?: number
  readonly experiments?: string
  readonly tls?: boolean
  /** Members of streamSettings of the server and of the client: what carries it, if not tcp. */
  readonly carrier?: { readonly server: Root; readonly client: Root }
  readonly id?: string
  /** The client's id where it is not the server's. */
  readonly clientId?: string
  /** False: the client does not know the server's certificate. */
  readonly trusted?: boolean
}

/** A log that a failed test can show. */
const debugLog = { loglevel: 'debug' }
export const testId = '8e3d2f6a-51c7-4b0e-9a44-6f0b7d1c2e95'

export type Root = Readonly<Record<string, unknown>>

export function serverConfig(link: Link, extra: Root = {}): Root {
  const tlsSettings = { certificates: [{ certificateFile, keyFile }] }
  return {
    log: debugLog,
    inbounds: [
      {
        tag: 'vmess-in',
        listen: '127.0.0.1',
        port: link.port,
        protocol: 'vmess',
        settings: { clients: [{ ...userOf(link), email: 'alice@home.lan' }] },
        streamSettings: { network: 'tcp', ...link.carrier?.server, ...(link.tls && { security: 'tls', tlsSettings }) },
      },
    ],
    outbounds: [{ tag: 'direct', protocol: 'freedom' }],
    ...extra,
  }
}

/** Where the client's local door is: a SOCKS port, or a port that always leads to one target. */
export type Door =
  | { readonly socksPort: number }
  | {
      readonly fixedPort: number
      readonly to: { readonly host: string; readonly port: number }
      readonly network?: string
    }

export function clientConfig(link: Link, door: Door, extra: Root = {}, outbound: Root = {}): Root {
  const inbound =
    'socksPort' in door
      ? { port: door.socksPort, protocol: 'socks', settings: { auth: 'noauth', udp: true, ip: '127.0.0.1' } }
      : {
          port: door.fixedPort,
          protocol: 'dokodemo-door',
          settings: { address: door.to.host, port: door.to.port, network: door.network ?? 'tcp' },
        }
  const user = { ...userOf(link), security: link.security ?? 'auto', ...(link.clientId ? { id: link.clientId } : {}) }
  return {
    log: debugLog,
    inbounds: [{ tag: 'door', listen: '127.0.0.1', ...inbound }],
    outbounds: [
      {
        tag: 'proxy',
        protocol: 'vmess',
        ...outbound,
        settings: { vnext: [{ address: '127.0.0.1', port: link.port, users: [user] }] },
        streamSettings: {
          network: 'tcp',
          ...link.carrier?.client,
          ...(link.tls && tlsClient(link.trusted ?? true)),
        },
      },
    ],
    ...extra,
  }
}

/** Trusts the test certificate, or only what the system trusts. */
const tlsClient = (trusted: boolean): Root => ({
  security: 'tls',
  tlsSettings: {
    serverName: 'localhost',
    ...(trusted ? { disableSystemRoot: true, certificates: [{ usage: 'verify', certificateFile }] } : {}),
  },
})

function userOf(link: Link): Root {
  return {
    id: link.id ?? testId,
    alterId: link.alterId ?? 0,
    ...(link.experiments ? { experiments: link.experiments } : {}),
  }
}
