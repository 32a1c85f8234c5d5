/**
 * Frames of Mux.Cool, with what XUDP adds to them.
 *
 *     length 2 | metadata[length] | with option bit 0: length 2, data
 *     metadata  session 2 | status 1 | options 1 | New: network 1, port-first address, [GlobalID 8]
 *                                                | Keep: [network 1 = UDP, port-first address]
 */
import type { Address } from '../../core/address.ts'

export const statuses = { new: 1, keep: 2, end: 3, keepAlive: 4 } as const
export const networks = { tcp: 1, udp: 2 } as const
export const optionBits = { data: 0x01, error: 0x02 } as const

export type Status = keyof typeof statuses
export type Network = keyof typeof networks

/** Where the carrier of sub-streams claims to go. VMess does not send it: its command says as much. */
export const muxTarget: Address = { host: 'v1.mux.cool', port: 9527 }

/** Length of the metadata that every frame has. */
export const bareMetadata = 4
/** The longest metadata that peers read; more ends the carrier. */
export const metadataMax = 512
/** The largest piece of a stream that peers write in one frame. */
export const pieceMax = 8192
/** What the length of a data part can name. */
export const dataMax = 65_535
export const globalIdLength = 8

/** What a frame says in front of its data. */
export interface Frame {
  /** 0 to 65535. */
  readonly session: number
  readonly status: Status
  /** With End: the other side broke off. */
  readonly error: boolean
  /** Length of the data part, 0 where there is none. */
  readonly dataLength: number
  /** Of New. */
  readonly network: Network | undefined
  /** Of New the target; of Keep where the datagram goes to or comes from, if it says so. Never changes, so it may be kept. */
  readonly address: Address | undefined
  /** Of New: names the client's socket, 8 bytes, not all zero. Owned by the receiver. */
  readonly globalId: Uint8Array | undefined
  /** Why its metadata makes no sense, in words; session, status, options and data are what they are all the same. */
  readonly malformed: string | undefined
}

/** What the one who takes frames wants of a data part: as it comes in, in one piece, or not at all. */
export type DataUse = 'pieces' | 'whole' | 'skip'

export interface FrameEvents {
  /** The frame is lent until it returns; the answer counts where `dataLength` is not 0. Must not throw. */
  frame(frame: Frame): DataUse
  /** A piece of the data part, or all of it, never empty; lent until it returns. Must not throw. */
  data(lent: Uint8Array): void
}
