/** What is asked for on the command line, and help about it. */

import { parseArgs } from 'node:util'
import { transportNames } from './measure/transports.ts'
import { measurements } from './measurements.ts'
import { findPrograms } from './programs/find.ts'
import { peerKinds, variableOf } from './programs/peers.ts'
import type { Plan } from './turns.ts'

const usual = measurements.filter(({ onRequest }) => !onRequest).map(({ name }) => name)
const names = measurements.map(({ name }) => name)

const help = `npm run bench -- [options]

  --only LIST            what to measure, separated by commas, of ${names.join(', ')}
                         (all but what is asked for by name only: ${names.filter((name) => !usual.includes(name)).join(', ')})
  --rounds N             rounds of each measurement, programs taking turns; medians are printed (5)
  --security LIST        bodies of bulk, such as aes-128-gcm,zero; the others use the first (aes-128-gcm,chacha20-poly1305,none)
  --size SIZE            bytes of one bulk transfer, such as 500M or 2G (1G)
  --transports LIST      of ${transportNames.join(', ')} (all)
  --transport-size SIZE  bytes of one transfer over each of them (100M)
  --warm-up N            connections that each program carries before new ones are measured (10000)

  --node FILE            measure this program on another runtime too: an executable of Node or Bun; may be given again
${peerKinds.map(({ option, name, onPath }) => `  --${`${option} FILE`.padEnd(20)} ${name}${onPath ? ' (found on the PATH)' : ''}; or ${variableOf(option)}`).join('\n')}
  --programs LIST        only these of what is there, by the names of their columns, such as ours,ours-plain,v2ray

  --write                write docs/performance.md, .svg and .json
  --json                 every sample as JSON instead of the tables

Needs Linux, and iperf3 for bulk and transports. CPU is the time that all threads of one proxy process ran; GB is 10^9 bytes.`

const file = { type: 'string' } as const
const text = (value: string) => ({ type: 'string', default: value }) as const

const { values } = parseArgs({
  options: {
    only: text(usual.join()),
    rounds: text('5'),
    security: text('aes-128-gcm,chacha20-poly1305,none'),
    size: text('1G'),
    transports: text(transportNames.join()),
    'transport-size': text('100M'),
    'warm-up': text('10000'),
    node: { type: 'string', multiple: true, default: [] },
    v2ray: file,
    v2ray5: file,
    xray: file,
    'sing-box': file,
    shoes: file,
    programs: text(''),
    write: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

export interface Asked {
  /** Names of measurements. */
  readonly only: readonly string[]
  readonly plan: Plan
  readonly write: boolean
  readonly json: boolean
}

/** Undefined: help was asked for, and given. */
export function readOptions(): Asked | undefined {
  if (values.help) {
    console.log(help)
    return undefined
  }
  try {
    return { only: listed('--only', values.only, names), plan: plan(), write: values.write, json: values.json }
  } catch (error) {
    console.error((error as Error).message)
    process.exit(2)
  }
}

function plan(): Plan {
  const files = Object.fromEntries(peerKinds.map(({ option }) => [option, values[option as 'v2ray']]))
  const { programs, missing } = findPrograms(
    files,
    values.node,
    values.programs === '' ? [] : values.programs.split(','),
  )
  if (missing.length > 0) console.error(`Not there, and so not measured: ${missing.join(', ')}`)
  for (const { name, version } of programs) console.error(`${name}: ${version}`)
  return {
    programs,
    rounds: positive('--rounds', values.rounds),
    bytes: sizeOf('--size', values.size),
    transportBytes: sizeOf('--transport-size', values['transport-size']),
    securities: values.security.split(','),
    transports: listed('--transports', values.transports, transportNames),
    warmUp: positive('--warm-up', values['warm-up']),
    // One line that replaces itself, where a person is looking.
    progress: (said) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${said}`)
    },
    note: (said) => console.error(`\n${said}`),
  }
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
