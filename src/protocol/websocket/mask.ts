/** Below this many bytes a view of 32-bit words costs more than it saves. */
const wordsFrom = 64

/**
 * XORs bytes[from, to) with the four bytes of `key`, beginning with its byte `phase & 3`: the same call puts a mask on and
 * takes it off. 32 bits at a time where there are enough of them.
 */
export function mask(bytes: Uint8Array, from: number, to: number, key: Uint8Array, phase = 0): void {
  if (to - from < wordsFrom) {
    maskBytes(bytes, from, to, key, phase)
    return
  }
  const unaligned = -(bytes.byteOffset + from) & 3
  maskBytes(bytes, from, from + unaligned, key, phase)
  const start = from + unaligned
  const count = (to - start) >>> 2
  maskWords(new Int32Array(bytes.buffer, bytes.byteOffset + start, count), wordOf(key, phase + unaligned))
  maskBytes(bytes, start + count * 4, to, key, phase + unaligned)
}

function maskBytes(bytes: Uint8Array, from: number, to: number, key: Uint8Array, phase: number): void {
  for (let i = from, k = phase; i < to; i++, k++) bytes[i] = bytes[i]! ^ key[k & 3]!
}

function maskWords(words: Int32Array, key: number): void {
  const whole = words.length & ~7
  let i = 0
  for (; i < whole; i += 8) {
    words[i] = words[i]! ^ key
    words[i + 1] = words[i + 1]! ^ key
    words[i + 2] = words[i + 2]! ^ key
    words[i + 3] = words[i + 3]! ^ key
    words[i + 4] = words[i + 4]! ^ key
    words[i + 5] = words[i + 5]! ^ key
    words[i + 6] = words[i + 6]! ^ key
    words[i + 7] = words[i + 7]! ^ key
  }
  for (; i < words.length; i++) words[i] = words[i]! ^ key
}

const scratch = new Uint8Array(4)
const scratchWord = new Int32Array(scratch.buffer)

/** The key as a word in this machine's order of bytes, beginning with its byte `phase & 3`. */
function wordOf(key: Uint8Array, phase: number): number {
  for (let i = 0; i < 4; i++) scratch[i] = key[(phase + i) & 3]!
  return scratchWord[0]!
}
