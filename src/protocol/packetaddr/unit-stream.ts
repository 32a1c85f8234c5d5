/**
 * Units of packetaddr on a stream, as V2Ray 5 has them besides.
 *
 *     length 2 (1 to 65535) | unit
 */
import type { Address } from '../../core/address.ts'
import { ProxyError } from '../../core/errors.ts'
import { CutOff } from '../wire/cut-off.ts'
import { readUnit, unitOverhead, writeUnit } from './unit.ts'

const lengthField = 2
const unitMax = 65_535

/** Bytes by which a unit on a stream is longer than its payload, at most. */
export const streamedOverhead = lengthField + unitOverhead

/** Writes length and unit at `at`; returns the offset behind. @throws ProxyError DATAGRAM_TOO_LARGE, ADDRESS_INVALID */
export function writeStreamed(payload: Uint8Array, address: Address, into: Uint8Array, at: number): number {
  if (payload.length > unitMax - unitOverhead) {
    throw new ProxyError('DATAGRAM_TOO_LARGE', `a datagram of ${payload.length} bytes does not fit into a unit`)
  }
  const end = writeUnit(payload, address, into, at + lengthField)
  const length = end - at - lengthField
  into[at] = length >> 8
  into[at + 1] = length
  return end
}

/** Reads units from any split of the stream. After an error it keeps throwing that error. */
export class UnitDecoder {
  readonly #packet: (payload: Uint8Array, address: Address) => void
  readonly #cutOff = new CutOff()
  #inUnit = false
  #unit = lengthField
  #failure: ProxyError | undefined

  /** @param packet gets every datagram, lent until it returns; must not throw */
  constructor(packet: (payload: Uint8Array, address: Address) => void) {
    this.#packet = packet
  }

  /** Bytes held of a unit that is not complete. */
  get held(): number {
    return this.#cutOff.length
  }

  /** Uses all of `batch` up. @throws ProxyError PACKETADDR_MALFORMED */
  push(batch: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure
    for (let at = 0; at < batch.length; ) {
      const end = at + this.#unit - this.#cutOff.length
      if (end > batch.length) {
        this.#cutOff.add(batch, at)
        return
      }
      if (this.#cutOff.length === 0) {
        this.#take(batch.subarray(at, end))
      } else {
        this.#cutOff.add(batch.subarray(0, end), at)
        this.#take(this.#cutOff.take())
      }
      at = end
    }
  }

  /** To be called when the stream ends. @throws ProxyError TRUNCATED inside a unit, or what push() threw */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#inUnit || this.#cutOff.length > 0) {
      throw this.#fail(new ProxyError('TRUNCATED', 'the stream ended inside a packetaddr unit'))
    }
  }

  #take(bytes: Uint8Array): void {
    if (!this.#inUnit) {
      this.#unit = (bytes[0]! << 8) | bytes[1]!
      if (this.#unit === 0) throw this.#fail(new ProxyError('PACKETADDR_MALFORMED', 'a unit of no bytes'))
      this.#inUnit = true
      return
    }
    this.#inUnit = false
    this.#unit = lengthField
    const { address, payload } = this.#read(bytes)
    this.#packet(payload, address)
  }

  #read(bytes: Uint8Array) {
    try {
      return readUnit(bytes)
    } catch (error) {
      throw this.#fail(error as ProxyError)
    }
  }

  #fail(error: ProxyError): ProxyError {
    this.#cutOff.clear()
    this.#failure = error
    return error
  }
}
