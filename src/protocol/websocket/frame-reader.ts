import { ProxyError } from '../../core/errors.ts'
import {
  controlPayloadMax,
  FIN,
  frameHeaderMax,
  isControl,
  isOpcode,
  MASKED,
  malformed,
  maskLength,
  opcodes,
} from './frame.ts'
import { mask } from './mask.ts'

const none = new Uint8Array(0)

/** Codes of a Close that is an orderly end; none at all stands for 1005. */
const orderly: ReadonlySet<number> = new Set([1000, 1005])

/**
 * Undoes the framing of one direction, cut anywhere. Messages are a stream: their kind (text or binary) and their bounds
 * mean nothing, as for all peers. Holds nothing but a header and the payload of a control frame.
 */
export class FrameReader {
  readonly #masked: boolean
  readonly #header = new Uint8Array(frameHeaderMax)
  #headerLength = 0
  /** Of the frame whose payload comes: its opcode, what is missing, its mask, and how far the mask has turned. */
  #opcode = -1
  #left = 0
  readonly #key = new Uint8Array(maskLength)
  #phase = 0
  #controlLength = 0
  #control: Uint8Array | undefined
  /** Within a message of several frames. */
  #fragmented = false
  #ping: Uint8Array | undefined
  #ended = false

  /** `masked`: whether the peer is a client. */
  constructor({ masked }: { masked: boolean }) {
    this.#masked = masked
  }

  /** The peer has said in order that it is done; what comes behind does not count. */
  get ended(): boolean {
    return this.#ended
  }

  /** Payload of the last Ping that has no answer yet: owned by the caller, who is given it once. */
  takePing(): Uint8Array | undefined {
    const ping = this.#ping
    this.#ping = undefined
    return ping
  }

  /**
   * Changes `bytes`: masks are taken off in place, and the payload of all data frames in it is moved together. Gives the
   * part that holds it, which may be empty. Throws WEBSOCKET_MALFORMED, or CONN_RESET for a Close that tells of a failure;
   * the reader is of no use then.
   */
  read(bytes: Uint8Array): Uint8Array {
    let start = 0
    let end = 0
    for (let at = 0; at < bytes.length && !this.#ended; ) {
      if (this.#opcode < 0) {
        at = this.#readHeader(bytes, at)
        if (this.#opcode < 0) break
      }
      const from = at
      at += Math.min(this.#left, bytes.length - at)
      if (this.#masked) this.#unmask(bytes, from, at)
      this.#left -= at - from
      if (isControl(this.#opcode)) this.#takeControl(bytes.subarray(from, at))
      else {
        if (end === start) start = end = from
        else bytes.copyWithin(end, from, at)
        end += at - from
      }
      if (this.#left === 0) this.#finish()
    }
    return bytes.subarray(start, end)
  }

  /** The stream has ended. Throws TRUNCATED inside a frame; between two it is an end like any other. */
  end(): void {
    if (this.#ended || (this.#opcode < 0 && this.#headerLength === 0)) return
    throw new ProxyError('TRUNCATED', 'the stream ended inside a WebSocket frame')
  }

  /** Takes what is missing of a header. The opcode is set once it is whole. */
  #readHeader(bytes: Uint8Array, at: number): number {
    while (at < bytes.length) {
      this.#header[this.#headerLength++] = bytes[at++]!
      if (this.#headerLength === 2) this.#check(this.#header[0]!, this.#header[1]!)
      if (this.#headerLength < 2 || this.#headerLength < this.#wholeHeader()) continue
      this.#begin()
      break
    }
    return at
  }

  #wholeHeader(): number {
    const length = this.#header[1]! & 0x7f
    return 2 + (length === 127 ? 8 : length === 126 ? 2 : 0) + (this.#masked ? maskLength : 0)
  }

  #check(first: number, second: number): void {
    const opcode = first & 0x0f
    if (first & 0x70) throw malformed('a reserved bit is set, though no extension was agreed on')
    if (!isOpcode(opcode)) throw malformed(`unknown opcode ${opcode}`)
    if (((second & MASKED) !== 0) !== this.#masked)
      throw malformed(this.#masked ? 'a client did not mask it' : 'a server masked it')
    if (isControl(opcode)) {
      if (!(first & FIN)) throw malformed('a control frame in pieces')
      if ((second & 0x7f) > controlPayloadMax) throw malformed('a control frame of more than 125 bytes')
    } else if ((opcode === opcodes.continuation) !== this.#fragmented) {
      throw malformed(this.#fragmented ? 'a message within a message' : 'it continues no message')
    }
  }

  #begin(): void {
    const header = this.#header
    const view = new DataView(header.buffer)
    const short = header[1]! & 0x7f
    if (short === 127) {
      const high = view.getUint32(2)
      if (high > 0x1f_ffff) throw malformed('a length of more than 2^53 bytes')
      this.#left = high * 2 ** 32 + view.getUint32(6)
    } else this.#left = short === 126 ? view.getUint16(2) : short
    this.#opcode = header[0]! & 0x0f
    if (!isControl(this.#opcode)) this.#fragmented = !(header[0]! & FIN)
    if (this.#masked) this.#key.set(header.subarray(this.#headerLength - maskLength, this.#headerLength))
    this.#phase = 0
    this.#headerLength = 0
    this.#controlLength = 0
  }

  #unmask(bytes: Uint8Array, from: number, to: number): void {
    mask(bytes, from, to, this.#key, this.#phase)
    this.#phase = (this.#phase + to - from) & 3
  }

  #takeControl(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#control ??= new Uint8Array(controlPayloadMax)
    this.#control.set(bytes, this.#controlLength)
    this.#controlLength += bytes.length
  }

  #finish(): void {
    const opcode = this.#opcode
    this.#opcode = -1
    if (!isControl(opcode)) return
    const payload = this.#control?.slice(0, this.#controlLength) ?? none
    if (opcode === opcodes.ping) this.#ping = payload
    if (opcode !== opcodes.close) return
    const code = payload.length >= 2 ? (payload[0]! << 8) | payload[1]! : 1005
    if (!orderly.has(code)) throw new ProxyError('CONN_RESET', `the peer closed the WebSocket with code ${code}`)
    this.#ended = true
  }
}
