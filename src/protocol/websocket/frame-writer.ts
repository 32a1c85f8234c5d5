import type { Random } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { controlPayloadMax, FIN, frameHeaderMax, MASKED, maskLength, opcodes, shortPayloadMax } from './frame.ts'
import { mask } from './mask.ts'

/**
 * Writes frames for one direction. A stream becomes whole binary messages of at most `limits.webSocketFrame` bytes: their
 * bounds mean nothing to any peer.
 */
export class FrameWriter {
  readonly #random: Random | undefined
  readonly #key = new Uint8Array(maskLength)

  /** With `random` frames are masked, as a client's must be and a server's must not. */
  constructor(random?: Random) {
    this.#random = random
  }

  /** Bytes that `length` bytes of a stream become, at most. */
  room(length: number): number {
    return length + Math.ceil(length / limits.webSocketFrame) * frameHeaderMax
  }

  /** Writes `bytes`, which stay as they are, as frames to into[at, …); gives where they end. No bytes: no frame. */
  write(bytes: Uint8Array, into: Uint8Array, at = 0): number {
    let end = at
    for (let from = 0; from < bytes.length; from += limits.webSocketFrame) {
      const piece = bytes.subarray(from, from + limits.webSocketFrame)
      end = this.#frame(opcodes.binary, piece, into, end)
    }
    return end
  }

  /** A frame of its own, owned by the caller. `payload`: at most 125 bytes. */
  control(opcode: number, payload: Uint8Array): Uint8Array {
    const into = new Uint8Array(frameHeaderMax + controlPayloadMax)
    return into.subarray(0, this.#frame(opcode, payload, into, 0))
  }

  #frame(opcode: number, payload: Uint8Array, into: Uint8Array, at: number): number {
    const { length } = payload
    const bit = this.#random ? MASKED : 0
    into[at++] = FIN | opcode
    if (length <= controlPayloadMax) into[at++] = bit | length
    else {
      if (length > shortPayloadMax) throw new RangeError(`a frame of ${length} bytes`)
      into[at++] = bit | 126
      into[at++] = length >>> 8
      into[at++] = length & 0xff
    }
    if (!this.#random) {
      into.set(payload, at)
      return at + length
    }
    into.set(this.#random.fill(this.#key), at)
    at += maskLength
    into.set(payload, at)
    mask(into, at, at + length, this.#key)
    return at + length
  }
}

/** The payload of a Close that says nothing is wrong: code 1000. */
export const normalClosure: Uint8Array = Uint8Array.of(1000 >>> 8, 1000 & 0xff)
