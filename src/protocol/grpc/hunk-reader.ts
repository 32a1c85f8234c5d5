import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { dataTag, malformed, messageHead, wireTypes } from './hunk.ts'

/** A varint of protobuf has no more. */
const varintMax = 10

/** What the next byte belongs to. */
type State = 'head' | 'tag' | 'length' | 'varint' | 'data' | 'skip'

/**
 * Takes the data out of gRPC messages, cut anywhere. The bounds of messages and of their elements mean nothing, and fields
 * that are not known are passed over. Holds nothing but a few numbers.
 */
export class HunkReader {
  #state: State = 'head'
  /** Bytes of the message head that are there, and the length that they say so far. */
  #headBytes = 0
  /** Of the message: what is missing. */
  #message = 0
  /** Of the varint: its value so far, and its bytes. */
  #value = 0
  #valueBytes = 0
  /** Tag of the field. */
  #tag = 0
  /** Of the data, or of what is passed over: what is missing. */
  #left = 0

  /**
   * Changes `bytes`: the data in it is moved together. Gives the part that holds it, which may be empty. Throws
   * GRPC_MALFORMED; the reader is of no use then.
   */
  read(bytes: Uint8Array): Uint8Array {
    let start = 0
    let end = 0
    for (let at = 0; at < bytes.length; ) {
      if (this.#state !== 'data' && this.#state !== 'skip') {
        if (this.#state === 'head') this.#takeHead(bytes[at++]!)
        else this.#takeNumber(bytes[at++]!)
        continue
      }
      const from = at
      at += Math.min(this.#left, bytes.length - at)
      if (this.#state === 'data') {
        if (end === start) start = end = from
        else bytes.copyWithin(end, from, at)
        end += at - from
      }
      this.#left -= at - from
      this.#message -= at - from
      if (this.#left === 0) this.#nextField()
    }
    return bytes.subarray(start, end)
  }

  /** The stream has ended. Throws TRUNCATED inside a message; between two it is an end like any other. */
  end(): void {
    if (this.#state === 'head' && this.#headBytes === 0) return
    throw new ProxyError('TRUNCATED', 'the stream ended inside a gRPC message')
  }

  #takeNumber(byte: number): void {
    if (this.#message === 0) throw malformed('a field is longer than its message')
    this.#message--
    if (++this.#valueBytes > varintMax) throw malformed('a number of more than ten bytes')
    // Beyond what a length can have here only zeros are no mistake, and numbers that nobody looks at may be anything.
    this.#value += (byte & 0x7f) * 2 ** (7 * (this.#valueBytes - 1))
    if (byte & 0x80) return
    const value = this.#value
    this.#value = 0
    this.#valueBytes = 0
    if (this.#state === 'tag') this.#takeTag(value)
    else if (this.#state === 'length') this.#pass(value, this.#tag === dataTag ? 'data' : 'skip')
    else this.#nextField()
  }

  #takeHead(byte: number): void {
    if (this.#headBytes++ === 0) {
      if (byte !== 0)
        throw malformed(byte === 1 ? 'it is compressed, though that was not agreed on' : 'its flag is unknown')
      this.#message = 0
      return
    }
    this.#message = this.#message * 256 + byte
    if (this.#headBytes < messageHead) return
    if (this.#message > limits.grpcMessageMax) throw malformed(`it has ${this.#message} bytes`)
    this.#headBytes = 0
    this.#nextField()
  }

  #takeTag(tag: number): void {
    if (tag < 8 || tag > 0xffff_ffff) throw malformed(`a field has the number ${Math.floor(tag / 8)}`)
    this.#tag = tag
    const type = tag % 8
    if (type === wireTypes.bytes) this.#state = 'length'
    else if (type === wireTypes.varint) this.#state = 'varint'
    else if (type === wireTypes.fixed64) this.#pass(8, 'skip')
    else if (type === wireTypes.fixed32) this.#pass(4, 'skip')
    else throw malformed(`a field has the type ${type}`)
  }

  #pass(length: number, state: 'data' | 'skip'): void {
    if (length > this.#message) throw malformed('a field is longer than its message')
    this.#left = length
    if (length === 0) this.#nextField()
    else this.#state = state
  }

  #nextField(): void {
    this.#state = this.#message > 0 ? 'tag' : 'head'
  }
}
