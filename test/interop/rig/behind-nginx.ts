/** Our server behind nginx, by the blocks of docs/behind-a-web-server.md as they are written there. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { builtin } from '../../../src/builtin/kinds.ts'
import { type Client, createClient, createServer, type Server, type Session } from '../../../src/index.ts'
import { certificateFile, keyFile } from './configs.ts'
import { freePorts, type Peer } from './harness.ts'
import { startNginx } from './nginx.ts'
import { projectRoot } from './root.ts'

const id = '27848739-7e62-4138-9fd3-098a63964b6b'

/** Transports of the document: the port that a block has, and what the inbound beside it has. */
const documented = {
  ws: { port: 10001, settings: { wsSettings: { path: '/ray' } }, client: { wsSettings: { path: '/ray' } } },
  httpupgrade: { port: 10002, settings: { httpupgradeSettings: { path: '/up' } } },
  grpc: { port: 10003, settings: { grpcSettings: { serviceName: 'name' } } },
  xhttp: { port: 10004, settings: { xhttpSettings: { path: '/x' } } },
} as const

export type Documented = keyof typeof documented

/** Those that there are. */
export const networks = (Object.keys(documented) as Documented[]).filter((name) =>
  builtin.transports.some((kind) => kind.name === name),
)

function nginxBlocks(): string[] {
  const text = readFileSync(join(projectRoot, 'docs/behind-a-web-server.md'), 'utf8')
  return [...text.matchAll(/^```nginx\n(.*?)^```$/gms)].map(([, block]) => block!)
}

export interface Rig {
  /** Of nginx, with TLS. */
  readonly port: number
  readonly server: Server
  readonly nginx: Peer
  readonly sessions: Session[]
  readonly rejected: string[]
  client(network: Documented, more?: { heartbeatS?: number; from?: string }): Client
}

export async function withNginx<T>(use: (rig: Rig) => Promise<T>): Promise<T> {
  const [port, ...ports] = (await freePorts(networks.length + 1)) as [number, ...number[]]
  const server = createServer({
    inbounds: networks.map((network, i) => ({
      listen: '127.0.0.1',
      port: ports[i]!,
      protocol: 'vmess' as const,
      settings: { clients: [{ id }] },
      streamSettings: { network, ...documented[network].settings, sockopt: { trustedProxies: ['127.0.0.1'] } },
    })),
    outbounds: [{ protocol: 'freedom' }],
    // Heartbeats keep nginx content; to the proxy itself a tunnel without payload is idle all the same.
    policy: { levels: { 0: { connIdle: 3600 } } },
  })
  const sessions: Session[] = []
  const rejected: string[] = []
  server.on('session', (session) => sessions.push(session))
  server.on('rejected', (_, error) => rejected.push(error.message))
  await server.listen()
  const nginx = await startNginx((folder) => placed(folder, port, ports), [port])
  const client: Rig['client'] = (network, { heartbeatS = 0, from } = {}) =>
    createClient({
      protocol: 'vmess',
      settings: { vnext: [{ address: '127.0.0.1', port, users: [{ id }] }] },
      ...(from !== undefined && { sendThrough: from }),
      streamSettings: {
        network,
        ...withHeartbeat(network, heartbeatS),
        security: 'tls',
        tlsSettings: {
          serverName: 'localhost',
          disableSystemRoot: true,
          certificates: [{ usage: 'verify', certificateFile }],
        },
      },
    } as never)
  try {
    return await use({ port, server, nginx, sessions, rejected, client })
  } catch (error) {
    throw new Error(`${(error as Error).message}\n--- nginx ---\n${nginx.log()}`, { cause: error })
  } finally {
    await Promise.all([nginx.stop(), server.close(0)])
  }
}

function withHeartbeat(network: Documented, seconds: number): object {
  const { settings } = documented[network]
  if (seconds === 0) return settings
  if (network === 'ws') return { wsSettings: { path: '/ray', heartbeatPeriod: seconds } }
  if (network === 'grpc') return { grpcSettings: { serviceName: 'name', idle_timeout: seconds } }
  return settings
}

/** The blocks, with this machine's ports, certificate and folder in the places of those of the document. */
function placed(folder: string, port: number, ports: readonly number[]): string {
  const [server = '', ...locations] = nginxBlocks()
  const mine = new Map<string, string>([
    ['listen 443 ', `listen 127.0.0.1:${port} `],
    ['server_name example.com', 'server_name localhost'],
    ['/etc/ssl/example.com.crt', certificateFile],
    ['/etc/ssl/example.com.key', keyFile],
    ['/var/www/html', `${folder}/html`],
    ['# A location for each transport stands here.', locations.join('\n')],
    ...networks.map((network, i) => [`127.0.0.1:${documented[network].port}`, `127.0.0.1:${ports[i]}`] as const),
  ])
  let text = server
  for (const [theirs, ours] of mine) {
    if (!text.includes(theirs)) throw new Error(`the document has no ${theirs}`)
    text = text.replace(theirs, ours)
  }
  return text
}
