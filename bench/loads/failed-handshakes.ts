/** node bench/load.mjs failed-handshakes: TLS handshakes that fail in ten ways, at a low limit of descriptors; nothing may stay, and honest clients are served. */

import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { startEchoServer } from '../../test/interop/rig/echo-server.ts'
import { freePorts, startPeer, withPeers } from '../../test/interop/rig/harness.ts'
import { failedHandshakes, failHandshake } from '../../test/support/failed-handshakes.ts'
import { percentile } from '../figures.ts'

const { values } = parseArgs({
  options: {
    handshakes: { type: 'string', default: '10000' },
    concurrency: { type: 'string', default: '200' },
    help: { type: 'boolean', default: false },
  },
})

/** The library as it is published: it reads a file beside itself. */
const { connect }: typeof import('../../src/index.ts') = await import(pathToFileURL('dist/index.js').href)

const id = '11111111-2222-4333-8444-555555555555'
const pem = (name: string): string => readFileSync(`test/fixtures/tls/${name}`, 'utf8')

if (values.help) console.log('node bench/load.mjs failed-handshakes [--handshakes 10000] [--concurrency 200]')
else await main(Number(values.handshakes), Number(values.concurrency))

async function main(total: number, concurrency: number): Promise<void> {
  const [port] = (await freePorts(1)) as [number]
  const echo = await startEchoServer()
  const server = await startPeer('ours', configOf(port), { ports: [port] })
  await withPeers([server], async () => {
    const descriptors = () => readdirSync(`/proc/${server.pid}/fd`).length
    const before = descriptors()
    const honest = honestClients(port, echo.port)
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, descriptors())
    }, 50)
    const start = performance.now()
    await fail(total, concurrency, port)
    const seconds = (performance.now() - start) / 1000
    const { times, failed } = await honest.stop()
    clearInterval(watch)
    await sleep(1000)
    const after = descriptors()
    console.log(`${total} failed handshakes of ${failedHandshakes.length} kinds in ${seconds.toFixed(1)} s`)
    console.log(`descriptors of the server: ${before} before, at most ${most} meanwhile, ${after} after`)
    console.log(`honest clients: ${times.length} served, ${failed} failed, p99 ${percentile(times, 99).toFixed(1)} ms`)
    if (after > before + 2 || failed > 0) process.exitCode = 1
  })
  await echo.close()
}

function configOf(port: number): object {
  const lines = (name: string): string[] => pem(name).trim().split('\n')
  return {
    log: { loglevel: 'error' },
    policy: { levels: { 0: { handshake: 2 } } },
    inbounds: [
      {
        listen: '127.0.0.1',
        port,
        protocol: 'vmess',
        settings: { clients: [{ id }] },
        streamSettings: {
          security: 'tls',
          tlsSettings: { certificates: [{ certificate: lines('server.crt'), key: lines('server.key') }] },
        },
      },
    ],
    outbounds: [{ protocol: 'freedom' }],
  }
}

async function fail(total: number, concurrency: number, port: number): Promise<void> {
  let begun = 0
  const worker = async (): Promise<void> => {
    while (begun < total) {
      const [, failure] = failedHandshakes[begun++ % failedHandshakes.length]!
      await failHandshake(failure, { host: '127.0.0.1', port })
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

/** Four, each with a new connection through the server for every exchange. */
function honestClients(port: number, echoPort: number) {
  const times: number[] = []
  let failed = 0
  let over = false
  const outbound = {
    protocol: 'vmess' as const,
    settings: { vnext: [{ address: '127.0.0.1', port, users: [{ id }] }] },
    streamSettings: { security: 'tls', tlsSettings: { allowInsecure: true } },
  }
  const run = async (): Promise<void> => {
    while (!over) {
      const start = performance.now()
      try {
        const stream = await connect(outbound, { host: '127.0.0.1', port: echoPort })
        stream.on('error', () => {})
        stream.write('x')
        await once(stream, 'data', { signal: AbortSignal.timeout(10_000) })
        stream.destroy()
        times.push(performance.now() - start)
      } catch (error) {
        failed++
        if (failed <= 3) console.log(String(error))
      }
      await sleep(20)
    }
  }
  const all = Promise.all(Array.from({ length: 4 }, run))
  return {
    async stop() {
      over = true
      await all
      return { times, failed }
    },
  }
}
