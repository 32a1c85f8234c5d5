/** Bits of each byte in HPACK's code (RFC 7541, appendix B), for ASCII; others, which no padding has, count as the longest. */
const bits: readonly number[] = [
  ...[13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28],
  ...[28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28],
  ...[6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6],
  ...[5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10],
  ...[13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
  ...[7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  ...[15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5],
  ...[6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28],
]

/** How many bits HPACK makes of a character. */
export const huffmanBits = (code: number): number => bits[code] ?? 30

/** How many bytes HPACK makes of a text. */
export function huffmanLength(text: string): number {
  let sum = 0
  for (let i = 0; i < text.length; i++) sum += huffmanBits(text.charCodeAt(i))
  return Math.ceil(sum / 8)
}
