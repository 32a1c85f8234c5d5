/** From samples to tables: medians of each program, and ours over V2Ray's. */

import type { BulkSample } from './bulk.ts'
import type { CounterSample } from './counters.ts'
import type { DatagramSample } from './datagrams.ts'
import { median } from './figures.ts'
import type { MuxSample } from './multiplexed.ts'
import type { ConnSample, IdleSample, RttSample } from './sessions.ts'
import { table } from './table.ts'

export interface Samples {
  readonly bulk?: readonly BulkSample[]
  readonly counters?: readonly CounterSample[]
  readonly conn?: readonly ConnSample[]
  readonly rtt?: readonly RttSample[]
  readonly idle?: readonly IdleSample[]
  readonly udp?: readonly DatagramSample[]
  readonly mux?: readonly MuxSample[]
}

export function report(samples: Samples): string {
  const parts: string[] = []
  if (samples.bulk) {
    const header = ['bulk, one connection', 'ours', 'V2Ray', 'ours/V2Ray']
    parts.push(table(header, bulkRows(samples.bulk)))
  }
  if (samples.counters) parts.push(table(['counters', 'on', 'off', 'on/off'], counterRows(samples.counters)))
  const rows = [
    ...(samples.conn ? connRows(samples.conn) : []),
    ...(samples.rtt ? rttRows(samples.rtt) : []),
    ...(samples.idle ? idleRows(samples.idle) : []),
  ]
  if (rows.length > 0) parts.push(table(['per connection', 'ours', 'V2Ray', 'ours/V2Ray'], rows))
  if (samples.udp) parts.push(table(['datagrams, there and back', 'ours', 'V2Ray', 'ours/V2Ray'], udpRows(samples.udp)))
  if (samples.mux) parts.push(table(['requests of 100 bytes', 'ours', 'V2Ray', 'ours/V2Ray'], muxRows(samples.mux)))
  return parts.join('\n\n')
}

function bulkRows(samples: readonly BulkSample[]): string[][] {
  const kinds = [...new Set(samples.map(({ security, direction }) => `${security} ${direction}`))]
  return kinds.flatMap((kind) => {
    const these = samples.filter(({ security, direction }) => `${security} ${direction}` === kind)
    return [
      compare(`${kind}: MB/s`, these, (sample) => sample.megabytesPerS, 0),
      compare(`${kind}: client CPU s/GB`, these, (sample) => sample.clientSPerGb, 2),
      compare(`${kind}: server CPU s/GB`, these, (sample) => sample.serverSPerGb, 2),
    ]
  })
}

const connRows = (samples: readonly ConnSample[]): string[][] => [
  compare('new connections per second', samples, (sample) => sample.perSecond, 0),
  compare('new connection: client CPU µs', samples, (sample) => sample.clientMicros, 0),
  compare('new connection: server CPU µs', samples, (sample) => sample.serverMicros, 0),
  totals('refused, of all rounds', samples, (sample) => sample.refused),
  totals('stalled 5 s, of all rounds', samples, (sample) => sample.stalled),
]

const rttRows = (samples: readonly RttSample[]): string[][] => [
  compare('64 bytes there and back: p50 µs', samples, (sample) => sample.p50Micros, 0),
  compare('64 bytes there and back: p99 µs', samples, (sample) => sample.p99Micros, 0),
]

const idleRows = (samples: readonly IdleSample[]): string[][] => [
  compare('idle connection: client KB', samples, (sample) => sample.clientKbEach, 1),
  compare('idle connection: server KB', samples, (sample) => sample.serverKbEach, 1),
  compare('resident at start: client MB', samples, (sample) => sample.clientStartKb / 1024, 0),
  compare('resident at start: server MB', samples, (sample) => sample.serverStartKb / 1024, 0),
]

/** V2Ray has one way: ours by XUDP is set beside it too. */
function udpRows(samples: readonly DatagramSample[]): string[][] {
  const theirs = samples.filter(({ program }) => program === 'v2ray')
  return [200, 1_200].flatMap((bytes) =>
    ['command 2', 'XUDP'].flatMap((way) => {
      const ours = samples.filter((sample) => sample.program === 'ours' && sample.way === way)
      const these = [...ours, ...theirs].filter((sample) => sample.bytes === bytes)
      const name = `${bytes} bytes, ${way}`
      return [
        compare(`${name}: client CPU s/million`, these, (sample) => sample.clientSPerMillion, 2),
        compare(`${name}: server CPU s/million`, these, (sample) => sample.serverSPerMillion, 2),
        compare(`${name}: per second, 32 under way`, these, (sample) => sample.perSecond, 0),
        compare(`${name}: p50 µs`, these, (sample) => sample.p50Micros, 0),
        compare(`${name}: p99 µs`, these, (sample) => sample.p99Micros, 0),
        totals(`${name}: lost, of all rounds`, these, (sample) => sample.lost),
      ]
    }),
  )
}

const muxRows = (samples: readonly MuxSample[]): string[][] =>
  [false, true].flatMap((mux) => {
    const these = samples.filter((sample) => sample.mux === mux)
    const name = mux ? 'through Mux' : 'without Mux'
    return [
      compare(`${name}: client CPU s/1,000`, these, (sample) => sample.clientSPer1000, 3),
      compare(`${name}: server CPU s/1,000`, these, (sample) => sample.serverSPer1000, 3),
      totals(`${name}: failed, of all rounds`, these, (sample) => sample.failed),
    ]
  })

/** Single figures swing by some percent from process to process; the last row, their sum, is the one to look at. */
function counterRows(samples: readonly CounterSample[]): string[][] {
  const figures = (['up', 'down'] as const).flatMap((way) =>
    (['clientSPerGb', 'serverSPerGb'] as const).map((figure) => {
      const of = (counters: 'on' | 'off') =>
        median(samples.filter((s) => s.direction === way && s.counters === counters).map((s) => s[figure]))
      return { name: `${way}: ${figure === 'clientSPerGb' ? 'client' : 'server'}`, on: of('on'), off: of('off') }
    }),
  )
  const sum = (counters: 'on' | 'off') => figures.reduce((total, figure) => total + figure[counters], 0)
  return [...figures, { name: 'all together', on: sum('on'), off: sum('off') }].map(({ name, on, off }) => [
    `${name} CPU s/GB`,
    on.toFixed(3),
    off.toFixed(3),
    (on / off).toFixed(3),
  ])
}

function compare<S extends { program: string }>(
  name: string,
  samples: readonly S[],
  pick: (sample: S) => number,
  digits: number,
): string[] {
  const of = (program: string) => median(samples.filter((sample) => sample.program === program).map(pick))
  const show = (value: number, places: number) => (Number.isNaN(value) ? '-' : value.toFixed(places))
  const ours = of('ours')
  const theirs = of('v2ray')
  return [name, show(ours, digits), show(theirs, digits), show(ours / theirs, 2)]
}

function totals<S extends { program: string }>(
  name: string,
  samples: readonly S[],
  pick: (sample: S) => number,
): string[] {
  const of = (program: string) => {
    const these = samples.filter((sample) => sample.program === program)
    return these.length === 0 ? '-' : String(these.reduce((sum, sample) => sum + pick(sample), 0))
  }
  return [name, of('ours'), of('v2ray'), '']
}
