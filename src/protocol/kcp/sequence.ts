/** Arithmetic of 32-bit numbers that wrap round: segments are numbered and times counted so. */

/** How far `a` is ahead of `b`, -2^31 to 2^31 - 1. */
export const ahead = (a: number, b: number): number => (a - b) | 0

/** How far it is from `b` up to `a`, 0 to 2^32 - 1. */
export const distance = (a: number, b: number): number => (a - b) >>> 0

export const plus = (a: number, b: number): number => (a + b) >>> 0
