import { ProxyError } from '../../core/errors.ts'

/**
 * A stream in gRPC messages. Each has five bytes in front, a flag for compression and the length, u32. The message is a
 * `Hunk { bytes data = 1 }` or a `MultiHunk { repeated bytes data = 1 }`, so one field, once or several times.
 */
export const messageHead = 5
/** Field 1, wire type 2: bytes with their length in front. */
export const dataTag = 0x0a

/** Wire types of protobuf. */
export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

export const malformed = (what: string): ProxyError =>
  new ProxyError('GRPC_MALFORMED', `the peer's gRPC message makes no sense: ${what}`)
