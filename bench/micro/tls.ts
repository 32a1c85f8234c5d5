/**
 * What bytes cost through layers over a TCP connection of this machine, both ends in this process: bare, through TLS, through
 * WebSocket in TLS. A writer is asked for batches of a size, and waits when it is told to. GB is 10^9 bytes; CPU of the whole
 * process, the kernel's part included.
 */
import { readFileSync } from 'node:fs'
import { systemEnv } from '../../src/app/instance/env.ts'
import type { Conn } from '../../src/core/conn.ts'
import type { Layer } from '../../src/core/dialer.ts'
import { forever } from '../../src/core/lifetime.ts'
import { tcpDialer, tcpListener } from '../../src/net/tcp.ts'
import { dialerStack, passageStack } from '../../src/transport/stack.ts'
import { tlsClientLayer, tlsServerLayer } from '../../src/transport/tls/layer.ts'
import { fixed } from '../../src/transport/tls/options.ts'
import { plainSite } from '../../src/transport/website/plain.ts'
import { webSocketLayer } from '../../src/transport/ws/layer.ts'

const env = systemEnv()
const pem = (name: string): string => readFileSync(`test/fixtures/tls/${name}`, 'utf8')
const common = { alpn: ['http/1.1'], enableSessionResumption: false, disableSystemRoot: true, masterKeyLog: '' }
const onError = (_remote: string, error: Error): void => console.error(error)
const secureServer = tlsServerLayer(
  fixed({
    ...common,
    serverName: '',
    certificates: [{ cert: pem('server.crt'), key: pem('server.key') }],
    issuers: [],
    rejectUnknownSni: false,
    verifyClient: false,
    clientAuthorities: [],
  }),
  { ...env, post: async () => new Uint8Array(0), handshakeTimeoutMs: 10_000, onError },
)
const secureClient = tlsClientLayer(
  fixed({
    ...common,
    authorities: [pem('ca.crt')],
    serverName: 'localhost',
    allowInsecure: false,
    pinnedCertSha256: [],
    pinnedChainSha256: [],
    pinnedPublicKeySha256: [],
    verifyNames: [],
    certificates: [],
  }),
  env,
)
const ws = webSocketLayer(
  { path: '/', host: '', servedHost: '', forwarded: false, headers: {}, heartbeatMs: 0 },
  {
    env,
    secure: true,
    serverName: 'localhost',
    handshakeTimeoutMs: 10_000,
    website: plainSite,
    trust: { networks: [], unix: false, headers: [] },
    onClientAddress: () => {},
    onAdmitted: () => {},
    onFailedHandshake: onError,
  },
)

const stacks: readonly (readonly [string, readonly Layer[], readonly Layer[]])[] = [
  ['tcp', [], []],
  ['tls', [secureClient], [secureServer]],
  ['tls + ws', [secureClient, ws], [secureServer, ws]],
]

async function pair(client: readonly Layer[], server: readonly Layer[]): Promise<[Conn, Conn, () => void]> {
  let accepted: (conn: Conn) => void = () => {}
  const far = new Promise<Conn>((resolve) => {
    accepted = resolve
  })
  const passage = passageStack(server, (conn) => accepted(conn))
  const listening = await tcpListener().listen({ host: '127.0.0.1', port: 0 }, (carrier) => passage.receive(carrier))
  const near = await dialerStack(tcpDialer(), client).dial(listening.address, { until: forever })
  return [near, await far, () => void listening.close()]
}

/** CPU seconds per 10^9 bytes, and 10^9 bytes per second. */
async function carry(from: Conn, to: Conn, batch: number, total: number): Promise<{ cpu: number; rate: number }> {
  let got = 0
  let done: () => void = () => {}
  const over = new Promise<void>((resolve) => {
    done = resolve
  })
  const bytes = new Uint8Array(batch).fill(7)
  const [start, before] = [performance.now(), process.cpuUsage()]
  const sink = (lent: Uint8Array): void => {
    got += lent.length
    if (got >= total) done()
  }
  to.drainTo(sink).catch(() => {}) // it ends when it is destroyed
  for (let sent = 0; sent < total; sent += batch) {
    const wait = from.write(bytes, () => {})
    if (wait) await wait
  }
  await over
  const used = process.cpuUsage(before)
  const seconds = (performance.now() - start) / 1000
  return { cpu: (used.user + used.system) / 1e6 / (total / 1e9), rate: total / 1e9 / seconds }
}

console.log('layers      batch   direction   GB/s  CPU s/GB')
for (const [name, client, server] of stacks) {
  for (const batch of [2_048, 16_384, 262_144]) {
    for (const direction of ['up', 'down'] as const) {
      const results: { cpu: number; rate: number }[] = []
      for (let round = 0; round < 5; round++) {
        const [near, far, close] = await pair(client, server)
        const [from, to] = direction === 'up' ? [near, far] : [far, near]
        results.push(await carry(from, to, batch, 200e6))
        for (const conn of [near, far]) conn.destroy()
        close()
      }
      const median = results.sort((a, b) => a.cpu - b.cpu)[2]!
      const figures = `${median.rate.toFixed(2).padStart(6)}  ${median.cpu.toFixed(3).padStart(8)}`
      console.log(`${name.padEnd(9)} ${String(batch).padStart(7)}   ${direction.padEnd(9)} ${figures}`)
    }
  }
}
process.exit(0)
