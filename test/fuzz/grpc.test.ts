/** Streams of gRPC messages that were changed on their way, and pure noise: bytes or a ProxyError come out, never anything else. */
import { expect, it } from 'vitest'
import { isProxyError } from '../../src/core/errors.ts'
import { HunkReader } from '../../src/protocol/grpc/hunk-reader.ts'
import { hunkRoom, writeHunks } from '../../src/protocol/grpc/hunk-writer.ts'
import { fakeRandom } from '../../src/testing/fakes.ts'

const runs = 40_000
const random = fakeRandom(17)

function stream(): Uint8Array {
  const parts: Uint8Array[] = []
  for (let i = 1 + random.below(4); i > 0; i--) {
    const data = random.fill(new Uint8Array(random.below(300)))
    const into = new Uint8Array(hunkRoom(data.length))
    parts.push(into.slice(0, writeHunks(data, into)))
  }
  return Uint8Array.from(Buffer.concat(parts))
}

function damage(wire: Uint8Array): Uint8Array {
  // Mostly in what stands in front of the data.
  for (let i = random.below(4); i > 0 && wire.length > 0; i--) {
    wire[random.below(random.below(2) === 0 ? Math.min(9, wire.length) : wire.length)] = random.below(256)
  }
  return random.below(8) === 0 ? random.fill(new Uint8Array(1 + random.below(200))) : wire
}

it(`${runs} damaged streams`, () => {
  const seen = new Set<string>()
  let whole = 0
  for (let run = 0; run < runs; run++) {
    const wire = damage(stream())
    const reader = new HunkReader()
    try {
      for (let at = 0; at < wire.length; ) {
        const piece = wire.slice(at, at + 1 + random.below(200))
        at += piece.length
        if (reader.read(piece).length > piece.length) throw new Error('more bytes than came')
      }
      reader.end()
      whole++
    } catch (error) {
      if (!isProxyError(error)) throw error
      seen.add(error.code)
    }
  }
  expect(seen).toEqual(new Set(['GRPC_MALFORMED', 'TRUNCATED']))
  expect(whole).toBeGreaterThan(runs / 10)
})
