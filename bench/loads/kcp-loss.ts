/**
 * node bench/load.mjs kcp-loss: mKCP through a relay that loses and delays datagrams, ours and V2Ray's in turn. Every byte is
 * checked.
 */
import { parseArgs } from 'node:util'
import { testId } from '../../test/interop/rig/configs.ts'
import { freePorts, type Program, startPeer, withPeers } from '../../test/interop/rig/harness.ts'
import { socksConnect } from '../../test/interop/rig/socks-client.ts'
import { order } from '../../test/interop/rig/traffic.ts'
import { downSeed, readContent, sendContent, startTarget, type Target } from '../../test/interop/target.ts'
import { lossyRelay } from './lossy-relay.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    mb: { type: 'string', default: '10' },
    loss: { type: 'string', default: '5' },
    delay: { type: 'string', default: '50' },
    settings: { type: 'string', default: '{}' },
    help: { type: 'boolean', default: false },
  },
})

const programs: readonly Program[] = ['ours', 'v2ray']
const directions = ['up', 'down'] as const
type Direction = (typeof directions)[number]

if (values.help) {
  console.log(
    'node bench/load.mjs kcp-loss [--rounds 3] [--mb 10] [--loss 5 (%)] [--delay 50 (ms each way)] [--settings JSON]',
  )
} else await main()

async function main(): Promise<void> {
  const target = await startTarget()
  const bytes = Number(values.mb) * 1024 * 1024
  const found = new Map<string, number[]>()
  try {
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const direction of directions) {
        for (const program of programs) {
          const { seconds, came } = await transfer(program, direction, bytes, round, target)
          const key = `${program} ${direction}`
          found.set(key, [...(found.get(key) ?? []), bytes / seconds / 1e6])
          const speed = (bytes / seconds / 1e6).toFixed(2)
          console.log(
            `round ${round + 1}: ${key.padEnd(10)} ${seconds.toFixed(1).padStart(6)} s ${speed.padStart(7)} MB/s, ${came} datagrams`,
          )
        }
      }
    }
  } finally {
    await target.close()
  }
  for (const direction of directions) {
    const [own, theirs] = programs.map((program) => median(found.get(`${program} ${direction}`)!)) as [number, number]
    console.log(
      `${direction}: ours ${own.toFixed(2)} MB/s, V2Ray ${theirs.toFixed(2)} MB/s, ratio ${(own / theirs).toFixed(2)}`,
    )
    if (own < theirs) process.exitCode = 1
  }
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!
}

async function transfer(
  program: Program,
  direction: Direction,
  bytes: number,
  seed: number,
  target: Target,
): Promise<{ seconds: number; came: number }> {
  const [serverPort, ready, door] = (await freePorts(3)) as [number, number, number]
  const relay = await lossyRelay(serverPort, Number(values.loss), Number(values.delay), seed + 1)
  const log = { access: 'none', loglevel: 'warning' }
  const streamSettings = { network: 'kcp', kcpSettings: JSON.parse(values.settings) as object }
  const server = {
    log,
    inbounds: [
      {
        ...{ listen: '127.0.0.1', port: serverPort, protocol: 'vmess', streamSettings },
        settings: { clients: [{ id: testId }] },
      },
      { listen: '127.0.0.1', port: ready, protocol: 'socks' },
    ],
    outbounds: [{ protocol: 'freedom' }],
  }
  const user = { id: testId, security: 'aes-128-gcm' }
  const client = {
    log,
    inbounds: [{ listen: '127.0.0.1', port: door, protocol: 'socks' }],
    outbounds: [
      {
        ...{ protocol: 'vmess', streamSettings },
        settings: { vnext: [{ address: '127.0.0.1', port: relay.port, users: [user] }] },
      },
    ],
  }
  const peers = [
    await startPeer(program, server, { ports: [ready], name: `server (${program})` }),
    await startPeer(program, client, { ports: [door], name: `client (${program})` }),
  ]
  try {
    return await withPeers(peers, async () => {
      const wire = await socksConnect(door, target, { stallMs: 60_000 })
      const [up, down] = direction === 'up' ? [bytes, 1] : [1, bytes]
      const content = seed + 1
      const from = performance.now()
      await order(wire, { mode: 'duplex', seed: content, up, down })
      await Promise.all([sendContent(wire, content, up), readContent(wire, downSeed(content), down, 'down')])
      if ((await wire.read(64)).length !== 64) throw new Error('the target did not say what it read')
      const seconds = (performance.now() - from) / 1000
      if (target.problems().length > 0) throw new Error(target.problems().join('\n'))
      wire.destroy()
      return { seconds, came: relay.counts.came }
    })
  } finally {
    relay.close()
  }
}
