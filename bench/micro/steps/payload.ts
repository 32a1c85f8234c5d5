import { systemRandom } from '../../../src/crypto/random.ts'
import { type BodyScheme, createOpener, createSealer, type Security } from '../../../src/protocol/vmess/body/body.ts'
import { FrameReader } from '../../../src/protocol/websocket/frame-reader.ts'
import { FrameWriter } from '../../../src/protocol/websocket/frame-writer.ts'
import type { Step } from './step.ts'

const sizes = [100, 16_384] as const

/** A batch through a body's sealer and opener, and through WebSocket. */
export const payload = (): Step[] => [
  ...(['aes-128-gcm', 'chacha20-poly1305', 'none'] as const).flatMap((security) =>
    sizes.flatMap((size) => body(security, size)),
  ),
  ...sizes.flatMap((size) => frames(size)),
]

function body(security: Security, size: number): Step[] {
  const options = {
    chunkStream: true,
    chunkMasking: true,
    globalPadding: security !== 'none',
    authenticatedLength: false,
  }
  const [key, iv] = [systemRandom.fill(new Uint8Array(16)), systemRandom.fill(new Uint8Array(16))]
  const scheme: BodyScheme = { security, options, transfer: 'stream', requestKey: key, requestIv: iv }
  const makeSealer = () => createSealer(scheme, { key, iv, terminate: true, random: systemRandom })
  const sealer = makeSealer()
  const plain = systemRandom.fill(new Uint8Array(size))
  const into = new Uint8Array(sealer.maxSealed(size))
  // An opener takes every batch once only: it is fed a stream, and a new one takes over at its end.
  const writer = makeSealer()
  const wire = Array.from({ length: 1_000 }, () => into.slice(0, writer.seal(plain, into, 0)))
  const opened = new Uint8Array(into.length)
  let opener = createOpener(scheme, { key, iv })
  let next = 0
  const open = () => {
    if (next === wire.length) [opener, next] = [createOpener(scheme, { key, iv }), 0]
    return opener.open(wire[next++]!, opened)
  }
  const at = 'protocol/vmess/body'
  return [
    { at, what: `seal ${size} bytes, ${security}`, run: () => sealer.seal(plain, into, 0) },
    { at, what: `open ${size} bytes, ${security}`, run: open },
  ]
}

function frames(size: number): Step[] {
  const writer = new FrameWriter(systemRandom)
  const plain = systemRandom.fill(new Uint8Array(size))
  const into = new Uint8Array(writer.room(size))
  const wire = into.slice(0, writer.write(plain, into))
  const reader = new FrameReader({ masked: true })
  const batch = new Uint8Array(wire.length)
  return [
    { at: 'protocol/websocket/frame-writer', what: `${size} bytes, masked`, run: () => writer.write(plain, into) },
    {
      at: 'protocol/websocket/frame-reader',
      what: `${size} bytes, masked`,
      run: () => {
        batch.set(wire) // It is changed by being read.
        return reader.read(batch)
      },
    },
  ]
}
