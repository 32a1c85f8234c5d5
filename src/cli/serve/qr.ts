import { renderUnicodeCompact } from 'uqr'

/** A QR code of half-block characters, for a phone to read off the terminal. */
export const qrCode = (text: string): string => renderUnicodeCompact(text, { border: 2 })
