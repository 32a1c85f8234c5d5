/** Streams of frames that were changed on their way, and pure noise: bytes or a ProxyError come out, never anything else. */
import { expect, it } from 'vitest'
import { isProxyError } from '../../src/core/errors.ts'
import { opcodes } from '../../src/protocol/websocket/frame.ts'
import { FrameReader } from '../../src/protocol/websocket/frame-reader.ts'
import { FrameWriter } from '../../src/protocol/websocket/frame-writer.ts'
import { fakeRandom } from '../../src/testing/fakes.ts'

const runs = 40_000
const refusals = new Set(['WEBSOCKET_MALFORMED', 'TRUNCATED', 'CONN_RESET'])
const random = fakeRandom(13)

function stream(masked: boolean): Uint8Array {
  const writer = new FrameWriter(masked ? random : undefined)
  const parts: Uint8Array[] = []
  for (let i = 1 + random.below(4); i > 0; i--) {
    const payload = random.fill(new Uint8Array(random.below(300)))
    const into = new Uint8Array(writer.room(payload.length))
    parts.push(into.slice(0, writer.write(payload, into)))
    if (random.below(3) === 0) parts.push(writer.control(opcodes.ping, payload.subarray(0, random.below(126))))
  }
  return Uint8Array.from(Buffer.concat(parts))
}

function damage(wire: Uint8Array): Uint8Array {
  for (let i = random.below(4); i > 0; i--) wire[random.below(wire.length)] = random.below(256)
  return random.below(8) === 0 ? random.fill(new Uint8Array(1 + random.below(200))) : wire
}

it(`${runs} damaged streams`, () => {
  const seen = new Set<string>()
  for (let run = 0; run < runs; run++) {
    const masked = random.below(2) === 0
    const wire = damage(stream(masked))
    const reader = new FrameReader({ masked })
    try {
      for (let at = 0; at < wire.length; ) {
        const piece = wire.slice(at, at + 1 + random.below(200))
        at += piece.length
        if (reader.read(piece).length > piece.length) throw new Error('more bytes than came')
        if ((reader.takePing()?.length ?? 0) > 125) throw new Error('a Ping that is too long')
      }
      reader.end()
    } catch (error) {
      if (!isProxyError(error)) throw error
      seen.add(error.code)
    }
  }
  expect(seen).toEqual(refusals)
})
