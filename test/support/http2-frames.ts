/** HTTP/2 as bytes: what a client's library would not write. Header fields are literals without Huffman coding (RFC 7541). */

export const frameTypes = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export function frame(type: keyof typeof frameTypes, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = frameTypes[type]
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Types of the frames in what a server sent. */
export function typesOf(bytes: Buffer): number[] {
  const types: number[] = []
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) types.push(bytes[at + 3]!)
  return types
}

export interface Frame {
  readonly type: number
  readonly flags: number
  /** Head and payload. */
  readonly bytes: Buffer
}

/** Whole frames, one behind the other. */
export function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  for (let at = 0; at + 9 <= bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3)
    frames.push({ type: bytes[at + 3]!, flags: bytes[at + 4]!, bytes: bytes.subarray(at, end) })
    at = end
  }
  return frames
}

/** Of the words before a client's first frame. */
export const prefaceLength = 24

/** What a client begins with. */
export const preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame('settings', 0, 0, new Uint8Array()),
])

export type Fields = Readonly<Record<string, string>>

export const request = (path: string, more: Fields = {}): Fields => ({
  ':method': 'POST',
  ':scheme': 'http',
  ':path': path,
  ':authority': 'localhost',
  'content-type': 'application/grpc',
  te: 'trailers',
  ...more,
})

/** Flags: 4 the header block is complete, 1 the stream ends with it. */
export function headers(stream: number, fields: Fields, flags = 4): Buffer {
  const block = Object.entries(fields).map(([name, value]) => Buffer.concat([Buffer.of(0), text(name), text(value)]))
  return frame('headers', flags, stream, Buffer.concat(block))
}

export const reset = (stream: number, code = 8): Buffer => frame('reset', 0, stream, Buffer.of(0, 0, 0, code))

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  const length: number[] = []
  let left = bytes.length
  if (left < 127) length.push(left)
  else {
    length.push(127)
    for (left -= 127; left >= 128; left = left >> 7) length.push((left & 127) | 128)
    length.push(left)
  }
  return Buffer.concat([Buffer.from(length), bytes])
}
