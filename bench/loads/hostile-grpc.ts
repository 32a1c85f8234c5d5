/** node bench/load.mjs hostile-grpc: hostile HTTP/2 streams at both doors of the gRPC API; it must live, and serve honest callers meanwhile. */

import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import { freePorts, startPeer, withPeers } from '../../test/interop/rig/harness.ts'
import { attacks, endings } from '../../test/support/hostile-streams.ts'
import { preface } from '../../test/support/http2-frames.ts'
import { percentile, residentKb } from '../figures.ts'

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '100000' },
    concurrency: { type: 'string', default: '8' },
    silent: { type: 'string', default: '64' },
    help: { type: 'boolean', default: false },
  },
})

/** A connection may have 16 streams at once, and some of these never end. */
const streamsPerConnection = 12

if (values.help) console.log('node bench/load.mjs hostile-grpc [--streams 100000] [--concurrency 8] [--silent 64]')
else await main(Number(values.streams), Number(values.concurrency), Number(values.silent))

async function main(streams: number, concurrency: number, silent: number): Promise<void> {
  const [doorPort, ownPort] = (await freePorts(2)) as [number, number]
  const server = await startPeer('ours', configOf(doorPort, ownPort), { ports: [doorPort, ownPort] })
  await withPeers([server], async () => {
    const descriptors = () => readdirSync(`/proc/${server.pid}/fd`).length
    const state = () => `${descriptors()} descriptors, ${residentKb(server.pid) >> 10} MB`
    console.log(`before: ${state()}`)
    const idle = Array.from({ length: silent }, () =>
      connect(ownPort, '127.0.0.1')
        .on('error', () => {})
        .resume(),
    )
    const honest = honestCalls([doorPort, ownPort])
    const sent = await attack(streams, concurrency, [doorPort, ownPort])
    const { times, failed } = await honest.stop()
    for (const socket of idle) socket.destroy()
    console.log(`${sent} hostile streams, ${silent} silent connections`)
    console.log(`honest calls: ${times.length} served, ${failed} failed, p99 ${percentile(times, 99).toFixed(1)} ms`)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    console.log(`after: ${state()}`)
    process.kill(server.pid, 0) // throws when it is gone
    if (failed > 0) process.exitCode = 1
  })
}

function configOf(doorPort: number, ownPort: number): object {
  return {
    log: { loglevel: 'warning' },
    api: { tag: 'api', services: ['StatsService'], listen: `127.0.0.1:${ownPort}` },
    inbounds: [
      {
        tag: 'api-in',
        listen: '127.0.0.1',
        port: doorPort,
        protocol: 'dokodemo-door',
        settings: { address: '127.0.0.1' },
      },
    ],
    outbounds: [{ protocol: 'freedom' }],
    routing: { rules: [{ type: 'field', inboundTag: ['api-in'], outboundTag: 'api' }] },
  }
}

/** One caller at each door, new every fifty calls. */
function honestCalls(ports: readonly number[]) {
  const times: number[] = []
  let failed = 0
  let over = false
  const run = async (port: number): Promise<void> => {
    while (!over) {
      const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
      for (let i = 0; i < 50 && !over; i++) {
        const start = performance.now()
        await sysStats(client).catch((error: Error) => {
          failed++
          console.log(error.message)
        })
        times.push(performance.now() - start)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      client.close()
    }
  }
  const all = Promise.all(ports.map(run))
  return {
    async stop() {
      over = true
      await all
      return { times, failed }
    },
  }
}

/** Request and answer as bytes: an empty message, and whatever comes. */
function sysStats(client: Client): Promise<Buffer> {
  const bytes = (value: Buffer): Buffer => value
  const deadline = { deadline: Date.now() + 20_000 }
  const path = '/xray.app.stats.command.StatsService/GetSysStats'
  return new Promise((resolve, reject) => {
    const told = (error: ServiceError | null, answer?: Buffer) => (error ? reject(error) : resolve(answer!))
    client.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), new Metadata(), deadline, told)
  })
}

/** Returns how many streams were sent. */
async function attack(streams: number, concurrency: number, ports: readonly number[]): Promise<number> {
  let sent = 0
  const worker = async (): Promise<void> => {
    for (let turn = 0; sent < streams; turn++) {
      const from = sent
      sent += streamsPerConnection
      const bytes = Array.from({ length: streamsPerConnection }, (_, i) =>
        attacks[(from + i * 7) % attacks.length]!.bytes(2 * i + 1),
      )
      await hurl(ports[turn % ports.length]!, Buffer.concat([preface, ...bytes, endings[from % endings.length]!]))
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return sent
}

/** Sends it all, and goes as soon as the server has said something. */
async function hurl(port: number, bytes: Buffer): Promise<void> {
  const socket: Socket = connect(port, '127.0.0.1').on('error', () => {})
  socket.write(bytes)
  socket.once('data', () => setImmediate(() => socket.resetAndDestroy()))
  await once(socket, 'close')
}
