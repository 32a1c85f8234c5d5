/** Frames of RFC 6455, section 5.2. */

import { ProxyError } from '../../core/errors.ts'

export const opcodes = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const

/** Bit of the first byte: the last frame of a message. */
export const FIN = 0x80
/** Bit of the second byte: a mask follows. */
export const MASKED = 0x80

/** Bytes of a key that masks. */
export const maskLength = 4
/** The longest header: two bytes, a length of 64 bits and a mask. */
export const frameHeaderMax = 14
/** The largest payload of a control frame. */
export const controlPayloadMax = 125
/** The largest payload that a length of 16 bits can say. */
export const shortPayloadMax = 0xffff

/** Whether a frame speaks about the connection and not in it. */
export const isControl = (opcode: number): boolean => opcode >= opcodes.close

export const isOpcode = (opcode: number): boolean =>
  opcode <= opcodes.binary || (opcode >= opcodes.close && opcode <= opcodes.pong)

export const malformed = (what: string): ProxyError =>
  new ProxyError('WEBSOCKET_MALFORMED', `the peer's WebSocket frame makes no sense: ${what}`)
