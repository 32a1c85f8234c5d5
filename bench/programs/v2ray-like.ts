/** Programs that read V2Ray's own form of a file: V2Ray 4 and 5, Xray, and this one. */

import { certificateFile, keyFile, type Link, path, service, userId, type Way } from './program.ts'

/** What differs among them. */
export interface Dialect {
  /** The body that is asked for, in its words. */
  readonly securityOf?: (link: Link) => string
  /** Joins the client's outbound. */
  readonly outbound?: (link: Link) => object
  readonly kcpSettings?: object
  /** Settings of the server's freedom. */
  readonly freedom?: object
}

const kcpCapacity = { uplinkCapacity: 100, downlinkCapacity: 100 }

export function v2rayFile(role: 'server' | 'client', link: Link, dialect: Dialect = {}): object {
  const log = { access: 'none', loglevel: 'none' }
  const ends = role === 'server' ? serverEnds(link, dialect) : clientEnds(link, dialect)
  return { log, ...ends }
}

const serverEnds = (link: Link, dialect: Dialect): object => ({
  inbounds: [
    {
      listen: '127.0.0.1',
      port: link.serverPort,
      protocol: 'vmess',
      settings: { clients: [{ id: userId, alterId: 0 }] },
      streamSettings: stream(link, dialect, { certificates: [{ certificateFile, keyFile }] }),
    },
  ],
  outbounds: [{ protocol: 'freedom', ...(dialect.freedom ? { settings: dialect.freedom } : {}) }],
})

function clientEnds(link: Link, dialect: Dialect): object {
  const user = { id: userId, alterId: 0, security: dialect.securityOf?.(link) ?? link.security }
  const trusting = {
    serverName: 'localhost',
    disableSystemRoot: true,
    certificates: [{ usage: 'verify', certificateFile }],
  }
  return {
    inbounds: [
      {
        listen: '127.0.0.1',
        port: link.doorPort,
        protocol: 'dokodemo-door',
        settings: { address: '127.0.0.1', port: link.targetPort, network: link.network },
      },
    ],
    outbounds: [
      {
        protocol: 'vmess',
        settings: { vnext: [{ address: '127.0.0.1', port: link.serverPort, users: [user] }] },
        streamSettings: stream(link, dialect, trusting),
        ...(link.mux === undefined ? {} : { mux: { enabled: true, concurrency: link.mux } }),
        ...dialect.outbound?.(link),
      },
    ],
  }
}

const stream = (way: Way, { kcpSettings = kcpCapacity }: Dialect, tlsSettings: object): object => ({
  ...transports[way.transport](kcpSettings),
  ...(way.tls ? { security: 'tls', tlsSettings } : {}),
})

const transports: Record<Way['transport'], (kcpSettings: object) => object> = {
  tcp: () => ({ network: 'tcp' }),
  ws: () => ({ network: 'ws', wsSettings: { path } }),
  grpc: () => ({ network: 'grpc', grpcSettings: { serviceName: service } }),
  h2: () => ({ network: 'h2', httpSettings: { path, host: ['localhost'] } }),
  httpupgrade: () => ({ network: 'httpupgrade', httpupgradeSettings: { path } }),
  mkcp: (kcpSettings) => ({ network: 'kcp', kcpSettings }),
  xhttp: () => ({ network: 'xhttp', xhttpSettings: { path } }),
}
