/** What the settings come to in segments, as V2Ray derives it (transport/internet/kcp/config.go). */
import { ackNumbersMax, ackOverhead, dataOverhead } from './segment.ts'

export interface KcpNumbers {
  /** Bytes of a datagram, at most. */
  readonly mtu: number
  /** Between two looks at what is to be sent again or acknowledged, ms. */
  readonly ttiMs: number
  /** What the own side sends, and takes in: MB/s. */
  readonly sendCapacity: number
  readonly receiveCapacity: number
  /** Send less when much is lost. */
  readonly congestion: boolean
  /** Bytes that may wait to be sent or acknowledged; 0: 512 KiB. */
  readonly writeBuffer: number
  /** Bytes that may wait to be read or to get into their order; 0: 512 KiB. */
  readonly readBuffer: number
}

export interface KcpSizes {
  readonly ttiMs: number
  readonly congestion: boolean
  /** Bytes of payload in a segment, at most; 0 or less: an mtu that has no room for any. */
  readonly payload: number
  /** Bytes of the largest segment. */
  readonly segment: number
  /** Numbers in one acknowledgement, at most. */
  readonly ackNumbers: number
  /** Segments under way per interval at full capacity. */
  readonly sendWindow: number
  /** Segments that are taken in beyond the one that is read next. */
  readonly receiveWindow: number
  /** Segments that may wait to be sent or acknowledged. */
  readonly sendQueue: number
}

/** @param overhead bytes that disguise and seal add to a segment */
export function kcpSizes(numbers: KcpNumbers, overhead: number): KcpSizes {
  const { mtu, ttiMs, congestion } = numbers
  const segment = mtu - overhead
  const inFlight = (capacity: number): number =>
    Math.max(8, Math.floor(Math.floor((capacity * 1024 * 1024) / mtu) / Math.floor(1000 / ttiMs)))
  const buffered = (bytes: number): number => Math.max(8, Math.floor((bytes || 512 * 1024) / mtu))
  return {
    ttiMs,
    congestion,
    payload: segment - dataOverhead,
    segment,
    ackNumbers: Math.max(1, Math.min(ackNumbersMax, Math.floor((segment - ackOverhead) / 4))),
    sendWindow: inFlight(numbers.sendCapacity),
    receiveWindow: Math.min(inFlight(numbers.receiveCapacity), buffered(numbers.readBuffer)),
    sendQueue: buffered(numbers.writeBuffer),
  }
}
