/**
 * The promises of `Conn`, as tests that any implementation can run:
 *
 *     connSuite('memory', async () => { const [a, b] = memoryPair(); return { a, b, close: async () => {} } },
 *       { halfClose: true, test: { describe, it } })
 *
 * Buffers that were lent or written are overwritten at once, so keeping one shows as wrong bytes.
 */

import type { Conn } from '../core/conn.ts'
import { lendingCases, readingCases } from './conn-suite-bytes.ts'
import { backPressureCases, destroyCases } from './conn-suite-ends.ts'
import { halfCloseCases } from './conn-suite-half-close.ts'

export interface ConnPair {
  readonly a: Conn
  readonly b: Conn
  /** Frees what the pair stands on; called after every case, when both ends were destroyed. */
  close(): Promise<void>
}

export interface ConnSuiteOptions {
  /** Whether one half can end alone (`native` or `framed`); false leaves those cases out. */
  readonly halfClose: boolean
  /** The test runner's functions: vitest's, or those of `node:test`. */
  readonly test: {
    describe(name: string, body: () => void): unknown
    it(name: string, body: () => Promise<void>): unknown
  }
}

export function connSuite(name: string, makePair: () => Promise<ConnPair>, options: ConnSuiteOptions): void {
  const { describe, it } = options.test
  const both = (title: string, body: (from: Conn, to: Conn) => Promise<void>): void => {
    for (const direction of ['a to b', 'b to a'] as const) {
      it(`${title} (${direction})`, async () => {
        const pair = await makePair()
        try {
          await (direction === 'a to b' ? body(pair.a, pair.b) : body(pair.b, pair.a))
        } finally {
          pair.a.destroy()
          pair.b.destroy()
          await pair.close()
        }
      })
    }
  }

  describe(`Conn: ${name}`, () => {
    describe('reading', () => readingCases(both))
    describe('lending', () => lendingCases(both))
    describe('back-pressure', () => backPressureCases(both))
    describe('destroy', () => destroyCases(both))
    if (options.halfClose) describe('half-close', () => halfCloseCases(both))
  })
}
