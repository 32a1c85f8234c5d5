/** What the cases of the datagram suite share. */

import assert from 'node:assert/strict'
import { type Address, formatAddress } from '../core/address.ts'
import type { PacketConn } from '../core/datagrams/packet.ts'
import { eventually } from './conn-suite-tools.ts'

/** What the sender says where a datagram goes, and what the receiver is told where it came from. */
export interface Way {
  readonly to: Address
  readonly from: Address
}

/** One direction of a pair. */
export interface Direction {
  readonly from: PacketConn
  readonly to: PacketConn
  readonly ways: readonly Way[]
  /** Of the other direction. */
  readonly back: readonly Way[]
}

/** Declares one case, once for each direction. */
export type PacketCases = (title: string, body: (direction: Direction) => Promise<void>) => void

export interface Received {
  readonly bytes: Uint8Array
  readonly from: string
}

/** Everything that comes from now on; lent bytes are copied out, then overwritten. */
export class Inbox {
  readonly received: Received[] = []
  /** How draining ended: with an error, or in order with undefined. */
  readonly drained: Promise<unknown>
  #over = false

  constructor(conn: PacketConn) {
    const drained = conn.drainTo((lent, from) => {
      this.received.push({ bytes: new Uint8Array(lent), from: formatAddress(from) })
      lent.fill(0xee)
    })
    this.drained = drained
      .then(
        () => undefined,
        (error: unknown) => error,
      )
      .finally(() => {
        this.#over = true
      })
  }

  async have(count: number): Promise<readonly Received[]> {
    await eventually(() => this.received.length >= count || this.#over, `${count} datagrams never came`)
    assert.equal(this.received.length, count)
    return this.received
  }
}

/** Sends a copy, which is overwritten at once. */
export function sendCopy(conn: PacketConn, bytes: Uint8Array, to: Address): boolean {
  const mine = new Uint8Array(bytes)
  const sent = conn.send(mine, to)
  mine.fill(0xdd)
  return sent
}
