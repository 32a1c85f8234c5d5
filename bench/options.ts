/** What is asked for on the command line, and help about it. */

import { parseArgs } from 'node:util'
import { transportNames } from './measure/transports.ts'
import { measurements } from './measurements.ts'
import { findPrograms } from './programs/find.ts'
import { peerKinds, variableOf } from './programs/peers.ts'
import type { Plan } from './turns.ts'

/** What holds where no option says otherwise. */
const full = {
  rounds: '5',
  security: 'aes-128-gcm,chacha20-poly1305,none,zero',
  size: '500M',
  transports: transportNames.join(),
  'transport-rounds': '3',
  'transport-size': '100M',
  'warm-up': '10000',
  endurance: '100000',
  starts: '20',
  users: '1,1000,10000,100000',
}

/** The same with `--quick`: enough to see a difference of a tenth. */
const quick: typeof full = {
  rounds: '3',
  security: 'aes-128-gcm,chacha20-poly1305,none',
  size: '200M',
  transports: 'tcp+tls,ws+tls,grpc+tls,h2+tls,mkcp',
  'transport-rounds': '2',
  'transport-size': '50M',
  'warm-up': '3000',
  endurance: '10000',
  starts: '7',
  users: '1,1000,10000',
}

const usual = measurements.filter(({ onRequest }) => !onRequest).map(({ name }) => name)
const names = measurements.map(({ name }) => name)

const help = `npm run bench -- [options]

  --quick                a third of the work: figures that say about as much, less exactly
  --only LIST            what to measure, separated by commas, of ${names.join(', ')}
                         (all but what is asked for by name only: ${names.filter((name) => !usual.includes(name)).join(', ')})
  --write                write docs/performance.md, .svg and .json, after each measurement
  --json                 every sample as JSON instead of the tables

  In brackets: what holds otherwise, and with --quick
  --rounds N             rounds of each measurement, programs taking turns; medians are printed (${full.rounds}, ${quick.rounds})
  --security LIST        bodies of bulk; the other measurements use the first (${full.security}; not zero)
  --size SIZE            bytes of one bulk transfer, such as 500M or 2G (${full.size}, ${quick.size})
  --transports LIST      of ${transportNames.join(', ')}
                         (all; ${quick.transports})
  --transport-rounds N   rounds of each of them (${full['transport-rounds']}, ${quick['transport-rounds']})
  --transport-size SIZE  bytes of one transfer over each of them (${full['transport-size']}, ${quick['transport-size']})
  --warm-up N            connections that each program carries before new ones are measured (${full['warm-up']}, ${quick['warm-up']})
  --endurance N          connections in a row through ours, none of which may fail (${full.endurance}, ${quick.endurance})
  --starts N             of each program (${full.starts}, ${quick.starts})
  --users LIST           how many users servers have, one after another (${full.users}; ${quick.users})

  --runtime FILE         measure this program on another runtime too: an executable of Node or Bun; may be given again
${peerKinds.map(({ option, name, onPath }) => `  --${`${option} FILE`.padEnd(20)} ${name}${onPath ? ' (found on the PATH)' : ''}; or the variable ${variableOf(option)}`).join('\n')}
                         (FILE=1.2.3 says the version of a build that does not know it)
  --programs LIST        only these of what is there, by the names of their columns, such as ours,ours-plain,v2ray

Needs Linux, and iperf3 for bulk and transports. CPU is the time that all threads of one proxy process ran; GB is 10^9 bytes.`

const text = { type: 'string' } as const
const flag = { type: 'boolean', default: false } as const

const { values: given } = parseArgs({
  options: {
    quick: flag,
    only: { ...text, default: usual.join() },
    rounds: text,
    security: text,
    size: text,
    transports: text,
    'transport-rounds': text,
    'transport-size': text,
    'warm-up': text,
    endurance: text,
    starts: text,
    users: text,
    runtime: { type: 'string', multiple: true, default: [] },
    v2ray: text,
    v2ray5: text,
    xray: text,
    'sing-box': text,
    shoes: text,
    programs: text,
    write: flag,
    json: flag,
    help: flag,
  },
})

export interface Asked {
  /** Names of measurements. */
  readonly only: readonly string[]
  readonly plan: Plan
  readonly write: boolean
  readonly json: boolean
  progress(text: string): void
}

/** Undefined: help was asked for, and given. */
export function readOptions(): Asked | undefined {
  if (given.help) {
    console.log(help)
    return undefined
  }
  try {
    const { write, json } = given
    return { only: listed('--only', given.only, names), plan: plan(), write, json, progress }
  } catch (error) {
    console.error((error as Error).message)
    process.exit(2)
  }
}

function plan(): Plan {
  const files = Object.fromEntries(peerKinds.map(({ option }) => [option, given[option as 'v2ray']]))
  const { programs, missing } = findPrograms(files, given.runtime, given.programs?.split(',') ?? [])
  if (missing.length > 0) console.error(`Not there, and so not measured: ${missing.join(', ')}`)
  for (const { name, version } of programs) console.error(`${name}: ${version}`)
  const of = <K extends keyof typeof full>(option: K): string => given[option] ?? (given.quick ? quick : full)[option]
  const number = (option: keyof typeof full): number => positive(`--${option}`, of(option))
  return {
    programs,
    rounds: number('rounds'),
    transportRounds: number('transport-rounds'),
    bytes: sizeOf('--size', of('size')),
    transportBytes: sizeOf('--transport-size', of('transport-size')),
    securities: of('security').split(','),
    transports: listed('--transports', of('transports'), transportNames),
    warmUp: number('warm-up'),
    endurance: number('endurance'),
    starts: number('starts'),
    users: of('users')
      .split(',')
      .map((count) => positive('--users', count)),
    progress,
    failed: ({ program = 'the measurement', rows, reason }) =>
      console.error(`\n${[program, rows].filter(Boolean).join(', ')}: failed: ${reason}`),
  }
}

/** One line that replaces itself, where a person is looking. */
function progress(said: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${said}`)
}

function listed(option: string, list: string, known: readonly string[]): readonly string[] {
  const words = list.split(',')
  for (const word of words) if (!known.includes(word)) fail(`${option}: "${word}" is none of ${known.join(', ')}`)
  return words
}

function sizeOf(option: string, size: string): number {
  const match = /^(\d+)([KMG]?)$/i.exec(size)
  if (!match) fail(`${option}: "${size}" is not a size such as 500M or 2G`)
  const factor = { '': 1, K: 1e3, M: 1e6, G: 1e9 }[match[2]!.toUpperCase()]!
  return positive(option, match[1]!) * factor
}

function positive(option: string, number: string): number {
  if (!/^[1-9]\d*$/.test(number)) fail(`${option}: "${number}" is not a positive number`)
  return Number(number)
}

function fail(message: string): never {
  throw new Error(message)
}
