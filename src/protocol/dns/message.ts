/** DNS messages as a server meets them (RFC 1035, 4): the question out of a query, and the answer to it. */

const headerBytes = 12
const nameMax = 255

/** A query with one question of class IN. */
export interface Asked {
  /** As written, without a dot at the end; `''` is the root. */
  readonly name: string
  /** Number of the record type: 1 A, 28 AAAA, 16 TXT, 65 HTTPS … */
  readonly type: number
  /** Header and question as they came, owned: they are echoed. */
  readonly head: Uint8Array
}

export const typeA = 1
export const typeAAAA = 28

/** Undefined for what is no such query. */
export function readQuery(bytes: Uint8Array): Asked | undefined {
  if (bytes.length < headerBytes) return undefined
  const isResponse = (bytes[2]! & 0x80) !== 0
  const opcode = (bytes[2]! >> 3) & 15
  if (isResponse || opcode !== 0 || u16(bytes, 4) !== 1) return undefined
  const labels: string[] = []
  let at = headerBytes
  for (let length = bytes[at++]; length !== 0; length = bytes[at++]) {
    // A pointer has nothing to point to in the first name of a message.
    if (length === undefined || length > 63 || at + length - headerBytes > nameMax) return undefined
    if (at + length >= bytes.length) return undefined
    labels.push(latin1(bytes.subarray(at, at + length)))
    at += length
  }
  if (at + 4 > bytes.length || u16(bytes, at + 2) !== 1) return undefined
  return { name: labels.join('.'), type: u16(bytes, at), head: bytes.slice(0, at + 4) }
}

export interface Said {
  readonly rcode: number
  /** Addresses of the type asked for, as bytes of 4 or of 16. */
  readonly addresses: readonly Uint8Array[]
  readonly ttlS: number
}

/** The answer to a query: authoritative, as the peers say, and with recursion available. */
export function writeAnswer({ head, type }: Asked, { rcode, addresses, ttlS }: Said): Uint8Array {
  const recordBytes = 12 + (type === typeA ? 4 : 16)
  const out = new Uint8Array(head.length + addresses.length * recordBytes)
  out.set(head)
  out[2] = 0x84 | (head[2]! & 1)
  out[3] = 0x80 | (rcode & 15)
  out.set([0, 1, addresses.length >> 8, addresses.length & 255, 0, 0, 0, 0], 4)
  const view = new DataView(out.buffer)
  addresses.forEach((address, i) => {
    const at = head.length + i * recordBytes
    view.setUint16(at, 0xc000 | headerBytes) // the name of the question
    view.setUint16(at + 2, type)
    view.setUint16(at + 4, 1)
    view.setUint32(at + 6, ttlS)
    view.setUint16(at + 10, address.length)
    out.set(address, at + 12)
  })
  return out
}

/** Messages out of a stream: two bytes of length before each (RFC 7766). Takes a copy. */
export class MessageReader {
  #held: Uint8Array = new Uint8Array(0)

  push(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.#held.length + bytes.length)
    joined.set(this.#held)
    joined.set(bytes, this.#held.length)
    this.#held = joined
  }

  /** Undefined where none is whole. */
  next(): Uint8Array | undefined {
    if (this.#held.length < 2) return undefined
    const end = 2 + u16(this.#held, 0)
    if (this.#held.length < end) return undefined
    const message = this.#held.subarray(2, end)
    this.#held = this.#held.subarray(end)
    return message
  }
}

/** With its length before it. */
export function framed(message: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 + message.length)
  out.set([message.length >> 8, message.length & 255])
  out.set(message, 2)
  return out
}

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
