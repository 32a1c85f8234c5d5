/** Drives frame decoders the way a careless carrier would: what is lent is overwritten as soon as it may be. */
import type { Address } from '../../src/core/address.ts'
import { FrameDecoder } from '../../src/protocol/mux/frame-decoder.ts'
import type { DataUse, Frame } from '../../src/protocol/mux/model.ts'
import { toHex } from './vectors.ts'

export interface SeenFrame {
  readonly session: number
  readonly status: Frame['status']
  readonly error: boolean
  readonly network?: 'tcp' | 'udp'
  readonly address?: Address
  readonly globalId?: Uint8Array
  readonly malformed?: string
  readonly dataLength: number
  data: Uint8Array
}

/** A decoder that notes every frame; `use` says what it wants of the data. */
export function framesInto(seen: SeenFrame[], use: (frame: Frame) => DataUse = () => 'pieces'): FrameDecoder {
  let whole = new Uint8Array(0)
  return new FrameDecoder({
    frame(frame) {
      whole = new Uint8Array(frame.dataLength)
      const { session, status, error, network, address, globalId, malformed, dataLength } = frame
      seen.push({
        session,
        status,
        error,
        ...(network && { network }),
        ...(address && { address }),
        ...(globalId && { globalId }),
        ...(malformed && { malformed }),
        dataLength,
        data: whole.subarray(0, 0),
      })
      return use(frame)
    },
    data(lent) {
      const last = seen.at(-1)!
      whole.set(lent, last.data.length)
      last.data = whole.subarray(0, last.data.length + lent.length)
    },
  })
}

/** All frames of the batches; with `end` they must end between two frames. */
export function decodeFrames(batches: readonly Uint8Array[], use?: (frame: Frame) => DataUse, end = true): SeenFrame[] {
  const seen: SeenFrame[] = []
  const decoder = framesInto(seen, use)
  for (const batch of batches) {
    const lent = batch.slice()
    decoder.push(lent)
    lent.fill(0xee)
  }
  if (end) decoder.end()
  return seen
}

/** Throws unless the two are alike; much faster than a deep comparison of long data. */
export function sameFrames(actual: readonly SeenFrame[], expected: readonly SeenFrame[]): void {
  const told = (frames: readonly SeenFrame[]) =>
    JSON.stringify(frames.map((frame) => ({ ...frame, data: toHex(frame.data) })))
  const [is, should] = [told(actual), told(expected)]
  if (is !== should) throw new Error(`frames ${is.slice(0, 2_000)} instead of ${should.slice(0, 2_000)}`)
}
