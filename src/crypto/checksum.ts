const crcTable = new Int32Array(256)
// An entry of several bits is the sum of those of its bits. A loop over all bits of all entries would be so long that a start compiles it.
for (let bit = 128, c = 1; bit > 0; bit >>= 1) {
  c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0)
  for (let rest = 0; rest < 256; rest += 2 * bit) crcTable[bit + rest] = c ^ crcTable[rest]!
}

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
