/** What every pairing must carry: a bulk transfer both ways at once, a ping-pong of odd sizes, many connections at once. */

import { createHash } from 'node:crypto'
import { downSeed, type Order, readContent, sendContent } from '../target.ts'
import { Content } from './content.ts'
import type { Wire } from './wire.ts'

/** Opens a connection to the target through whatever is under test. */
export type Open = (name: string) => Promise<Wire>

export interface TrafficPlan {
  readonly bulkBytes: number
  readonly rounds: number
  readonly connections: number
}

export const fullPlan: TrafficPlan = { bulkBytes: 4 * 1024 * 1024, rounds: 60, connections: 40 }

/** Borders of chunks and buffers, and sizes that are none. */
const oddSizes = [
  1, 2, 3, 5, 15, 16, 17, 63, 64, 255, 257, 1_021, 1_966, 1_967, 2_047, 2_048, 2_049, 4_095, 8_191, 8_192, 15_999,
  16_367, 16_368, 16_369, 16_383, 16_384, 16_385, 32_767, 32_769, 65_519, 65_535, 65_537, 70_001, 131_071, 1,
]

export async function checkTraffic(open: Open, plan: TrafficPlan = fullPlan): Promise<void> {
  await bulk(open, plan.bulkBytes)
  await pingPong(open, plan.rounds)
  await together(open, plan.connections)
}

async function bulk(open: Open, bytes: number): Promise<void> {
  const wire = await open('bulk')
  try {
    await duplex(wire, 7, bytes, bytes)
  } finally {
    wire.destroy()
  }
}

async function pingPong(open: Open, rounds: number): Promise<void> {
  const wire = await open('ping-pong')
  try {
    await order(wire, { mode: 'echo' })
    const content = new Content(11)
    for (let round = 0; round < rounds; round++) await echoOnce(wire, content.next(oddSizes[round % oddSizes.length]!))
  } finally {
    wire.destroy()
  }
}

async function together(open: Open, connections: number): Promise<void> {
  await Promise.all(
    Array.from({ length: connections }, async (_, i) => {
      const wire = await open(`connection ${i} of ${connections}`)
      try {
        await duplex(wire, 100 + i, 20_000 + i * 977, 60_000 - i * 977)
      } finally {
        wire.destroy()
      }
    }),
  )
}

export async function order(wire: Wire, what: Order): Promise<void> {
  await wire.write(`${JSON.stringify(what)}\n`)
}

/** Sends `bytes` to a target in echo mode and waits until exactly they are back. */
export async function echoOnce(wire: Wire, bytes: Buffer): Promise<void> {
  const [back] = await Promise.all([wire.read(bytes.length), wire.write(bytes)])
  if (!back.equals(bytes)) throw new Error(`echo of ${bytes.length} bytes came back changed`)
}

async function duplex(wire: Wire, seed: number, up: number, down: number): Promise<void> {
  await order(wire, { mode: 'duplex', seed, up, down })
  await Promise.all([sendContent(wire, seed, up), readContent(wire, downSeed(seed), down, 'down')])
  const digest = (await wire.read(64)).toString()
  const sent = createHash('sha256').update(new Content(seed).next(up)).digest('hex')
  if (digest !== sent) throw new Error(`the target read ${up} other bytes than were sent`)
}
