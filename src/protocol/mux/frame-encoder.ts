/**
 * The sending side of one sub-stream. Writes into the caller's buffer and keeps no bytes: a carrier seals what several
 * of these have written.
 */
import type { Address } from '../../core/address.ts'
import { ProxyError } from '../../core/errors.ts'
import { encodePortFirst, portFirstMax } from '../wire/port-first.ts'
import {
  bareMetadata,
  dataMax,
  globalIdLength,
  type Network,
  networks,
  optionBits,
  pieceMax,
  type Status,
  statuses,
} from './model.ts'

/** How a client asks for a sub-stream. */
export interface Opening {
  readonly network: Network
  readonly target: Address
  /** Names the client's socket, 8 bytes, eight zeros for none; written only with a first datagram. */
  readonly globalId?: Uint8Array
}

/** Length fields and the metadata without address. */
const bareFrame = 2 + bareMetadata + 2
/** The longest frame without its data. */
const frameMax = bareFrame + 1 + portFirstMax + globalIdLength

export class FrameEncoder {
  readonly #session: number
  /** What the first frame says; undefined once it did. */
  #opening: { readonly network: number; readonly target: Uint8Array; readonly globalId: Uint8Array } | undefined
  #ended = false
  /** The last address of a datagram and its block. */
  #address: Address | undefined
  #block: Uint8Array = nothing

  /**
   * @param opening for the client's side: the first frame is a New; the server's side only keeps on
   * @throws ProxyError ADDRESS_INVALID for a target that cannot be carried
   */
  constructor(session: number, opening?: Opening) {
    this.#session = session
    if (!opening) return
    const { network, target, globalId = nothing } = opening
    this.#opening = { network: networks[network], target: encodePortFirst(target), globalId }
  }

  /** Whether the other side knows of the sub-stream, as far as this one is concerned. */
  get opened(): boolean {
    return this.#opening === undefined
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Upper bound of what one call writes for so many bytes. */
  room(data: number): number {
    return data + frameMax + bareFrame * Math.ceil(data / pieceMax)
  }

  /** Writes New without data, unless it was written before; returns the offset behind it. */
  open(into: Uint8Array, at: number): number {
    if (!this.#opening) return at
    const { network, target } = this.#opening
    this.#opening = undefined
    return this.#head(into, at, 'new', 0, network, target, nothing)
  }

  /** Writes all of a stream's `bytes`, in as many frames as it takes; returns the offset behind them. */
  stream(bytes: Uint8Array, into: Uint8Array, at: number): number {
    this.#expectOpen()
    for (let from = 0; from < bytes.length; from += pieceMax) {
      at = this.#data(bytes.subarray(from, from + pieceMax), into, at, undefined)
    }
    return at
  }

  /**
   * Writes one datagram; returns the offset behind it. An empty one writes nothing: no peer delivers it.
   * @param address where it goes to (client) or comes from (server), where the encoding says so; New names the target anyway
   * @throws ProxyError DATAGRAM_TOO_LARGE, ADDRESS_INVALID; then nothing has changed
   */
  datagram(bytes: Uint8Array, into: Uint8Array, at: number, address?: Address): number {
    this.#expectOpen()
    if (bytes.length > dataMax) {
      throw new ProxyError('DATAGRAM_TOO_LARGE', `a datagram of ${bytes.length} bytes; a frame carries ${dataMax}`)
    }
    return bytes.length === 0 ? at : this.#data(bytes, into, at, address)
  }

  /** Writes End, behind New if that is still to be said; returns the offset behind it. Again: another End. */
  end(into: Uint8Array, at: number, error = false): number {
    at = this.open(into, at)
    this.#ended = true
    return writeEnd(into, at, this.#session, error)
  }

  #data(bytes: Uint8Array, into: Uint8Array, at: number, address: Address | undefined): number {
    if (this.#opening) {
      const { network, target, globalId } = this.#opening
      this.#opening = undefined
      at = this.#head(into, at, 'new', optionBits.data, network, target, globalId)
    } else if (address) {
      at = this.#head(into, at, 'keep', optionBits.data, networks.udp, this.#blockOf(address), nothing)
    } else {
      at = writeBare(into, at, this.#session, 'keep', optionBits.data)
    }
    into[at] = bytes.length >> 8
    into[at + 1] = bytes.length
    into.set(bytes, at + 2)
    return at + 2 + bytes.length
  }

  #head(
    into: Uint8Array,
    at: number,
    status: Status,
    options: number,
    network: number,
    block: Uint8Array,
    id: Uint8Array,
  ) {
    const length = bareMetadata + 1 + block.length + id.length
    const end = writeBare(into, at, this.#session, status, options)
    into[at] = length >> 8
    into[at + 1] = length
    into[end] = network
    into.set(block, end + 1)
    into.set(id, end + 1 + block.length)
    return at + 2 + length
  }

  #blockOf(address: Address): Uint8Array {
    const last = this.#address
    if (address === last || (last && address.host === last.host && address.port === last.port)) return this.#block
    this.#block = encodePortFirst(address)
    this.#address = address
    return this.#block
  }

  #expectOpen(): void {
    if (this.#ended) throw new ProxyError('PROTOCOL_MISUSE', 'nothing can follow the end of a sub-stream')
  }
}

/** Bytes of an End. */
export const endLength = 2 + bareMetadata

/** Writes End for any session, known or not; returns the offset behind it. */
export const writeEnd = (into: Uint8Array, at: number, session: number, error = false): number =>
  writeBare(into, at, session, 'end', error ? optionBits.error : 0)

function writeBare(into: Uint8Array, at: number, session: number, status: Status, options: number): number {
  into[at] = 0
  into[at + 1] = bareMetadata
  into[at + 2] = session >> 8
  into[at + 3] = session
  into[at + 4] = statuses[status]
  into[at + 5] = options
  return at + 2 + bareMetadata
}

const nothing = new Uint8Array(0)
