const crcTable = new Int32Array(256).map((_, byte) => {
  let c = byte
  for (let bit = 0; bit < 8; bit++) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0)
  return c
})

/** CRC-32 (IEEE, as in zlib) of bytes[from..to), unsigned. */
export function crc32(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let c = -1
  for (let i = from; i < to; i++) c = crcTable[(c ^ bytes[i]!) & 0xff]! ^ (c >>> 8)
  return ~c >>> 0
}

/** FNV-1a, 32 bit, of bytes[from..to), unsigned. */
export function fnv1a32(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let h = 0x811c9dc5 | 0
  for (let i = from; i < to; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193)
  return h >>> 0
}
