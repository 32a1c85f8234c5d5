/** A body without any framing: bytes go through as they are, and only the carrier can end it. */
import type { BodyOpener, BodySealer } from './body-model.ts'

export class UnframedSealer implements BodySealer {
  readonly framed = false

  maxSealed(plain: number): number {
    return plain
  }

  seal(plain: Uint8Array, into: Uint8Array, at: number): number {
    into.set(plain, at)
    return at + plain.length
  }

  finish(_into: Uint8Array, at: number): number {
    return at
  }
}

export class UnframedOpener implements BodyOpener {
  readonly ended = false
  readonly #packet: ((datagram: Uint8Array) => void) | undefined

  /** @param packet gets whatever one batch holds: there are no borders to go by, and V2Ray does the same */
  constructor(packet: ((datagram: Uint8Array) => void) | undefined) {
    this.#packet = packet
  }

  room(batch: number): number {
    return batch
  }

  open(batch: Uint8Array, into: Uint8Array): number {
    into.set(batch)
    if (this.#packet !== undefined && batch.length > 0) this.#packet(into.subarray(0, batch.length))
    return batch.length
  }

  end(): void {}
}
