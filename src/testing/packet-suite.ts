/**
 * The promises of `PacketConn`, as tests that any implementation can run:
 *
 *     packetSuite('memory', async () => {
 *       const [a, b] = memoryPackets()
 *       const way = { to: target, from: target }
 *       return { a, b, aToB: [way], bToA: [way], close: async () => {} }
 *     }, { closeWrite: true, test: { describe, it } })
 *
 * Buffers that were lent or sent are overwritten at once, so keeping one shows as wrong bytes.
 */

import type { PacketConn } from '../core/datagrams/packet.ts'
import { carryingCases } from './packet-suite-carrying.ts'
import { endCases } from './packet-suite-ends.ts'
import type { PacketCases, Way } from './packet-suite-tools.ts'

export type { Way } from './packet-suite-tools.ts'

export interface PacketPair {
  readonly a: PacketConn
  readonly b: PacketConn
  /** One or more ways from one end to the other. */
  readonly aToB: readonly Way[]
  readonly bToA: readonly Way[]
  /** Frees what the pair stands on; called after every case, when both ends were destroyed. */
  close(): Promise<void>
}

export interface PacketSuiteOptions {
  /** Whether closeWrite() shows at the other end as the end of its drain; false leaves those cases out. */
  readonly closeWrite: boolean
  /** The kernel takes all there is and drops, uncounted, what its receiver has no room for: nothing is held at this end. */
  readonly kernelDrops?: boolean
  /** The test runner's functions: vitest's, or those of `node:test`. */
  readonly test: {
    describe(name: string, body: () => void): unknown
    it(name: string, body: () => Promise<void>): unknown
  }
}

export function packetSuite(name: string, makePair: () => Promise<PacketPair>, options: PacketSuiteOptions): void {
  const { describe, it } = options.test
  const both: PacketCases = (title, body) => {
    for (const direction of ['a to b', 'b to a'] as const) {
      it(`${title} (${direction})`, async () => {
        const { a, b, aToB, bToA, close } = await makePair()
        try {
          const there = { from: a, to: b, ways: aToB, back: bToA }
          await body(direction === 'a to b' ? there : { from: b, to: a, ways: bToA, back: aToB })
        } finally {
          a.destroy()
          b.destroy()
          await close()
        }
      })
    }
  }

  describe(`PacketConn: ${name}`, () => {
    describe('carrying', () => carryingCases(both, options.kernelDrops ?? false))
    describe('the end', () => endCases(both, options.closeWrite))
  })
}
