/**
 * What a portal tells its bridge over a session of datagrams inside each carrier, every two seconds: V2Ray's message
 * `v2ray.core.app.reverse.Control` in protobuf, so one datagram is one of these.
 *
 *     08 state (varint; absent: 0)  |  9a 06 length random[length]: filler, so that messages differ in length
 */
import { ProxyError } from '../../core/errors.ts'

/** `active`: the carrier takes streams. `drain`: it takes no new ones, and the bridge is to open another. */
export type ControlState = 'active' | 'drain'

/** Names by which portals ask for this session; V2Ray 4, V2Ray 5, and Xray up to the version that dropped it. */
export const controlHosts: readonly string[] = ['reverse.internal.v2ray.com', 'reverse.internal.v2fly.org', 'reverse']

/** Port of these names. */
export const controlPort = 0

/** The filler is 1 to this many bytes. */
export const fillerMax = 64

const stateField = 1
const randomField = 99
const varint = 0
const lengthDelimited = 2

/** @param filler 0 to 127 bytes that mean nothing */
export function encodeControl(state: ControlState, filler: Uint8Array): Uint8Array {
  const tag = (randomField << 3) | lengthDelimited
  const head = state === 'drain' ? [stateField << 3, 1] : []
  return Uint8Array.of(...head, (tag & 0x7f) | 0x80, tag >> 7, filler.length, ...filler)
}

/** Fields of other numbers are passed over. @throws ProxyError TRUNCATED, MUX_MALFORMED: the bytes are no such message */
export function decodeControl(bytes: Uint8Array): ControlState {
  const reader = new Reader(bytes)
  let state: ControlState = 'active'
  while (!reader.done) {
    const tag = reader.varint()
    const wire = tag & 7
    if (wire === varint) {
      const value = reader.varint()
      if (tag >> 3 === stateField) state = value === 0 ? 'active' : 'drain'
    } else if (wire === lengthDelimited) reader.skip(reader.varint())
    else if (wire === 1 || wire === 5) reader.skip(wire === 1 ? 8 : 4)
    else throw new ProxyError('MUX_MALFORMED', `a control message has a field of the unknown wire type ${wire}`)
  }
  return state
}

class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** The lower 32 bits: nothing here is larger. */
  varint(): number {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw cutOff()
      if (shift < 32) value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new ProxyError('MUX_MALFORMED', 'a number in a control message is too long')
  }

  skip(length: number): void {
    this.#at += length
    if (this.#at > this.#bytes.length) throw cutOff()
  }
}

const cutOff = (): ProxyError => new ProxyError('TRUNCATED', 'a control message ends inside a field')
