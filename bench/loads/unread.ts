/**
 * node bench/load.mjs unread: seven downloads that share a carrier with an eighth that nobody reads, beside the same seven without it.
 * Ours at both ends, for every transport of HTTP/2: its windows must keep what is unread from holding up the rest.
 */
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { certificateFile, keyFile } from '../../test/interop/rig/configs.ts'
import { type Pair, type PairSpec, withPair } from '../../test/interop/rig/pair.ts'
import type { SocksTarget } from '../../test/interop/rig/socks-client.ts'
import type { Wire } from '../../test/interop/rig/wire.ts'
import { median, residentKb } from '../figures.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
})

const streams = 7
const quiet = { log: { access: 'none', loglevel: 'none' } }
/** Joined by all ways that share a TLS connection. */
const certified = { security: 'tls', tlsSettings: { certificates: [{ certificateFile, keyFile }] } }
const trusting = { security: 'tls', tlsSettings: { serverName: 'localhost', allowInsecure: true } }

const shared = (settings: object) => ({ carrier: { server: settings as never, client: settings as never } })
const secured = (settings: object) => ({
  carrier: { server: { ...settings, ...certified } as never, client: { ...settings, ...trusting } as never },
})

const ways: Readonly<Record<string, Partial<PairSpec>>> = {
  grpc: shared({ network: 'grpc', grpcSettings: { serviceName: 'x' } }),
  'grpc, multi': shared({ network: 'grpc', grpcSettings: { serviceName: 'x', multiMode: true } }),
  h2: secured({ network: 'http', httpSettings: { path: '/x', host: ['localhost'] } }),
  'xhttp over HTTP/2': secured({ network: 'xhttp', xhttpSettings: { path: '/x', mode: 'stream-one' } }),
}

/** Sends without end to whoever connects. */
async function startSource(): Promise<{ target: SocksTarget; close(): void }> {
  const block = Buffer.alloc(64 * 1024, 7)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    const send = (): void => {
      while (!socket.destroyed && socket.write(block));
    }
    socket.on('drain', send).on('error', () => {})
    send()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const close = (): void => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return { target: { host: '127.0.0.1', port }, close }
}

/** Bytes a second that all of them take in. */
async function speedOf(wires: readonly Wire[]): Promise<number> {
  let bytes = 0
  const count = (chunk: Buffer): void => {
    bytes += chunk.length
  }
  for (const { socket } of wires) socket.removeAllListeners('readable').removeAllListeners('data').on('data', count)
  await sleep(1_500)
  const [from, startedAt] = [bytes, performance.now()]
  await sleep(Number(values.seconds) * 1_000)
  return ((bytes - from) * 1_000) / (performance.now() - startedAt)
}

async function round({ client, open }: Pair, target: SocksTarget) {
  const wires = await Promise.all(Array.from({ length: streams }, () => open(target, { stallMs: 60_000 })))
  const without = await speedOf(wires)
  const unread = await open(target, { stallMs: 60_000 })
  unread.socket.pause()
  const beforeKb = residentKb(client.pid)
  const withIt = await speedOf(wires)
  const grownMb = (residentKb(client.pid) - beforeKb) / 1024
  for (const wire of [...wires, unread]) wire.destroy()
  return { ratio: withIt / without, without, grownMb }
}

async function main(): Promise<void> {
  const source = await startSource()
  try {
    for (const [name, way] of Object.entries(ways)) {
      const found: Awaited<ReturnType<typeof round>>[] = []
      for (let i = 0; i < Number(values.rounds); i++) {
        const spec: PairSpec = { client: 'ours', server: 'ours', clientExtra: quiet, serverExtra: quiet, ...way }
        found.push(await withPair(spec, (pair) => round(pair, source.target)))
      }
      const ratio = median(found.map((one) => one.ratio))
      const speed = (median(found.map((one) => one.without)) / 1e6).toFixed(0)
      const grown = median(found.map((one) => one.grownMb)).toFixed(0)
      console.log(
        `${name}: seven at ${speed} MB/s without, ${(ratio * 100).toFixed(0)} % of it beside an unread one (client grew ${grown} MB)`,
      )
    }
  } finally {
    source.close()
  }
}

if (values.help) console.log('node bench/load.mjs unread [--rounds 3] [--seconds 2]')
else await main()
