/** Frames and units that were changed on their way: the parsers give events or a ProxyError, and hold no more than came in. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { silentLogger } from '../../src/core/env.ts'
import { isProxyError } from '../../src/core/errors.ts'
import { forever } from '../../src/core/lifetime.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { FrameDecoder } from '../../src/protocol/mux/frame-decoder.ts'
import type { DataUse } from '../../src/protocol/mux/model.ts'
import { readUnit, writeUnit } from '../../src/protocol/packetaddr/unit.ts'
import { UnitDecoder, writeStreamed } from '../../src/protocol/packetaddr/unit-stream.ts'
import { MuxPool } from '../../src/proxy/mux/pool.ts'
import { serveMux } from '../../src/proxy/mux/server.ts'
import { xudpOver } from '../../src/proxy/mux/xudp.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'
import { long } from '../support/long.ts'
import { concat, fromHex } from '../support/vectors.ts'

const runs = long ? 100_000 : 20_000
const random = fakeRandom(7)
const vectors = JSON.parse(readFileSync(new URL('../vectors/mux.json', import.meta.url), 'utf8'))

const streams: Uint8Array[] = [
  ...['c2s', 's2c'].map((dir) =>
    concat(
      ...vectors.transcript.events
        .filter((event: { dir: string }) => event.dir === dir)
        .map((event: { hex: string }) => fromHex(event.hex)),
    ),
  ),
  concat(...vectors.xudp.frames.map((frame: { hex: string }) => fromHex(frame.hex))),
]

/** One to three changes of a kind that damage or malice would make. */
function mutate(wire: Uint8Array): Uint8Array {
  let bytes = Uint8Array.from(wire)
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const at = random.below(bytes.length)
    const kind = random.below(4)
    if (kind === 0) bytes[at]! ^= 1 << random.below(8)
    else if (kind === 1) bytes[at] = random.below(256)
    else if (kind === 2) bytes = concat(bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(8))) as typeof bytes
    else
      bytes = concat(
        bytes.subarray(0, at),
        random.fill(new Uint8Array(1 + random.below(8))),
        bytes.subarray(at),
      ) as typeof bytes
    if (bytes.length === 0) return bytes
  }
  return bytes
}

interface Parser {
  push(batch: Uint8Array): void
  end(): void
  readonly held: number
}

/** Feeds the bytes in pieces; an error has to be one of the codes. */
function feed(parser: Parser, bytes: Uint8Array, codes: readonly string[]): void {
  try {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.slice(at, at + 1 + random.below(64))
      at += piece.length
      parser.push(piece)
      piece.fill(0xee)
      if (parser.held > at) throw new Error('holds more than it was given')
    }
    parser.end()
  } catch (error) {
    if (!isProxyError(error) || !codes.includes(error.code)) throw error
  }
}

it(`frames: ${runs} damaged streams`, () => {
  const uses: readonly DataUse[] = ['pieces', 'whole', 'skip']
  let [frames, malformed] = [0, 0]
  for (let run = 0; run < runs; run++) {
    let due = 0
    const decoder = new FrameDecoder({
      frame(frame) {
        if (frame.malformed) malformed++
        frames++
        due = frame.dataLength
        return uses[run % uses.length]!
      },
      data(lent) {
        due -= lent.length
        if (lent.length === 0 || due < 0) throw new Error('more data than the frame has')
      },
    })
    feed(decoder, mutate(streams[run % streams.length]!), ['MUX_MALFORMED', 'TRUNCATED'])
  }
  expect(frames).toBeGreaterThan(runs)
  expect(malformed).toBeGreaterThan(runs / 1_000)
})

it(`packetaddr: ${runs} damaged units, alone and on a stream`, () => {
  const payload = random.fill(new Uint8Array(20))
  const hosts = ['192.0.2.1', '2001:db8::1']
  const into = new Uint8Array(64)
  const units = hosts.map((host) => into.slice(0, writeUnit(payload, { host, port: 53 }, into, 0)))
  const stream = concat(...hosts.map((host) => into.slice(0, writeStreamed(payload, { host, port: 53 }, into, 0))))
  let read = 0
  for (let run = 0; run < runs; run++) {
    try {
      readUnit(mutate(units[run % 2]!))
      read++
    } catch (error) {
      if (!isProxyError(error) || error.code !== 'PACKETADDR_MALFORMED') throw error
    }
    feed(new UnitDecoder(() => read++), mutate(stream), ['PACKETADDR_MALFORMED', 'TRUNCATED'])
  }
  expect(read).toBeGreaterThan(runs)
})

/** Whole carriers cost more than parsers. */
const carrierRuns = runs / 20

it(`both ends: ${carrierRuns} damaged carriers each, and every sub-stream ends with one of our errors`, async () => {
  const clock = fakeClock(1_700_000_000_000)
  const env = { clock, log: silentLogger }
  const codes = new Map<string, number>()
  const note = (error: unknown) => {
    if (!isProxyError(error)) throw error
    codes.set(error.code, (codes.get(error.code) ?? 0) + 1)
  }
  for (let run = 0; run < carrierRuns; run++) {
    const wire = mutate(streams[run % streams.length]!)
    const ends: Promise<unknown>[] = []
    const [peer, base] = memoryPair()
    const served = serveMux(base, env, {
      stream: (conn) => void ends.push(conn.drainTo((lent) => conn.write(lent)).catch(note)),
      packets: (conn) => void ends.push(conn.drainTo((lent, to) => void conn.send(lent, to)).catch(note)),
      refused: note,
    })
    const [near, far] = memoryPair()
    const pool = new MuxPool({ env, concurrency: 8, carriers: { dial: async () => near } })
    const stream = await pool.dial({ host: 'example.com', port: 80 }, { until: forever })
    const packets = await pool.packets(forever, { addressed: true })
    packets.send(Uint8Array.of(1), { host: '192.0.2.1', port: 53 })
    const [alone, behind] = memoryPair()
    const own = xudpOver(alone, clock, {})
    ends.push(stream.drainTo(() => {}).catch(note), ...[packets, own].map((conn) => conn.drainTo(() => {}).catch(note)))
    for (const end of [peer, far, behind]) {
      end.write(wire)?.catch(() => {})
      end.closeWrite()
      end.drainTo(() => {}).catch(() => {})
    }
    await served
    await Promise.all(ends)
    pool.close()
  }
  expect([...codes.keys()].every((code) => /^(MUX_MALFORMED|TRUNCATED|CONN_CLOSED|CONN_RESET)$/.test(code))).toBe(true)
  expect(codes.get('MUX_MALFORMED')).toBeGreaterThan(carrierRuns / 10)
  expect(clock.pending).toBe(0)
})
