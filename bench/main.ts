/** npm run bench: ours and V2Ray side by side, over loopback, in turns. Options: --help. */

import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { hasV2ray } from '../test/interop/harness.ts'
import { measureBulk } from './bulk.ts'
import { measureCounters } from './counters.ts'
import { measureDatagrams } from './datagrams.ts'
import { measureMux } from './multiplexed.ts'
import { report, type Samples } from './report.ts'
import { measureConnections, measureIdle, measureRoundTrip } from './sessions.ts'

const help = `npm run bench -- [options]

  --rounds N        rounds of each measurement, programs taking turns; medians are printed (5)
  --only LIST       of bulk, conn, rtt, idle, udp, mux, separated by commas (these), or counters
  --security LIST   of aes-128-gcm, chacha20-poly1305, none and so on (these three); all but bulk use the first
  --size SIZE       bytes of one bulk transfer, such as 500M or 2G (1G)
  --json            every sample as JSON instead of the table

Needs Linux, and iperf3 for bulk. CPU is user and system time of one proxy process; GB is 10^9 bytes.`

const usual = ['bulk', 'conn', 'rtt', 'idle', 'udp', 'mux'] as const
const measurements = [...usual, 'counters'] as const

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: usual.join() },
    security: { type: 'string', default: 'aes-128-gcm,chacha20-poly1305,none' },
    size: { type: 'string', default: '1G' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) console.log(help)
else await main()

async function main(): Promise<void> {
  const rounds = positive('--rounds', values.rounds)
  const bytes = sizeOf(values.size)
  const securities = values.security.split(',')
  const only = values.only.split(',')
  for (const name of only) {
    if (!measurements.some((known) => known === name)) fail(`--only: "${name}" is none of ${measurements.join(', ')}`)
  }
  if (!hasV2ray) console.error('v2ray is not on the PATH: ours alone is measured')

  const first = securities[0]!
  const samples: Samples = {
    ...(only.includes('bulk') ? { bulk: await measureBulk(securities, rounds, bytes, progress) } : {}),
    ...(only.includes('counters') ? { counters: await measureCounters(first, rounds, bytes, progress) } : {}),
    ...(only.includes('conn') ? { conn: await measureConnections(first, rounds, progress) } : {}),
    ...(only.includes('rtt') ? { rtt: await measureRoundTrip(first, rounds, progress) } : {}),
    ...(only.includes('idle') ? { idle: await measureIdle(first, rounds, progress) } : {}),
    ...(only.includes('udp') ? { udp: await measureDatagrams(first, rounds, progress) } : {}),
    ...(only.includes('mux') ? { mux: await measureMux(first, rounds, progress) } : {}),
  }
  progress('')
  const machine = `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}`
  if (values.json) console.log(JSON.stringify({ machine, rounds, bytes, samples }, null, 2))
  else console.log(`${machine}; median of ${rounds}\n\n${report(samples)}`)
}

/** One line that replaces itself, where a person is looking. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

function sizeOf(text: string): number {
  const match = /^(\d+)([KMG]?)$/i.exec(text)
  if (!match) fail(`--size: "${text}" is not a size such as 500M or 2G`)
  const factor = { '': 1, K: 1e3, M: 1e6, G: 1e9 }[match[2]!.toUpperCase()]!
  return positive('--size', match[1]!) * factor
}

function positive(option: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) fail(`${option}: "${text}" is not a positive number`)
  return Number(text)
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
