import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Conn, Sink } from '../core/conn.ts'
import { prefixed } from '../core/streams/prefixed.ts'
import { WrappedConn } from '../core/streams/wrapped.ts'
import { memoryPair } from '../net/memory/memory.ts'
import { connSuite } from './conn-suite.ts'

const close = async () => {}

connSuite(
  'memory',
  async () => {
    const [a, b] = memoryPair()
    return { a, b, close }
  },
  { halfClose: true, test: { describe, it } },
)

connSuite(
  'prefixed over memory',
  async () => {
    const [a, b] = memoryPair()
    const [x, y] = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]
    const pair = { a: prefixed(a, x), b: prefixed(b, y), close }
    await pair.a.read()
    await pair.b.read()
    return pair
  },
  { halfClose: true, test: { describe, it } },
)

/** Passes everything on; a subclass breaks one promise. */
class Passing extends WrappedConn {
  read(): Promise<Uint8Array | null> {
    return this.base.read()
  }
  drainTo(sink: Sink): Promise<void> {
    return this.base.drainTo(sink)
  }
}

const broken: Record<string, { failsAt: RegExp; Mutant: new (base: Conn) => Conn }> = {
  'keeps what is lent to write()': {
    failsAt: /used the bytes up/,
    Mutant: class extends Passing {
      override write(bytes: Uint8Array, release?: () => void) {
        return this.base.write(bytes, release ?? (() => {}))
      }
    },
  },
  'releases before it is done': {
    failsAt: /holds the buffer until release/,
    Mutant: class extends Passing {
      override write(bytes: Uint8Array, release?: () => void) {
        release?.()
        return this.base.write(bytes, () => {})
      }
    },
  },
  'releases twice': {
    failsAt: /holds the buffer until release/,
    Mutant: class extends Passing {
      override write(bytes: Uint8Array, release?: () => void) {
        const twice = release && (() => [release(), release()])
        return twice ? this.base.write(bytes, twice) : this.base.write(bytes)
      }
    },
  },
  'never asks to wait': {
    failsAt: /asks to wait/,
    Mutant: class extends Passing {
      override write(bytes: Uint8Array, release?: () => void) {
        this.base.write(bytes, release)?.catch(() => {})
      }
    },
  },
  'goes by a bound of its own': {
    failsAt: /holdAtMost/,
    Mutant: class extends Passing {
      override holdAtMost() {}
    },
  },
  'does not wait for the sink': {
    failsAt: /pauses the source/,
    Mutant: class extends Passing {
      override drainTo(sink: Sink) {
        return this.base.drainTo((lent) => {
          sink(lent)?.catch(() => {})
        })
      }
    },
  },
  'takes an empty write for the end': {
    failsAt: /an empty one/,
    Mutant: class extends Passing {
      override write(bytes: Uint8Array, release?: () => void) {
        return bytes.length === 0 ? this.base.closeWrite() : this.base.write(bytes, release)
      }
    },
  },
  'closes both halves at closeWrite()': {
    failsAt: /the other half goes on/,
    Mutant: class extends Passing {
      override async closeWrite() {
        await this.base.closeWrite()
        this.base.destroy()
      }
    },
  },
  'forgets the reason': {
    failsAt: /rejects with the reason/,
    Mutant: class extends Passing {
      override destroy() {
        this.base.destroy()
      }
    },
  },
}

describe('a conn that breaks a promise fails the suite', () => {
  // Many of them show by something that never comes, and nothing here needs real time.
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  for (const [what, { failsAt, Mutant }] of Object.entries(broken)) {
    it(what, async () => {
      const failures: string[] = []
      const cases: { name: string; body: () => Promise<void> }[] = []
      const makePair = async () => {
        const [a, b] = memoryPair()
        return { a: new Mutant(a), b: new Mutant(b), close }
      }
      const collecting = {
        describe: (_: string, body: () => void) => body(),
        it: (name: string, body: () => Promise<void>) => cases.push({ name, body }),
      }
      connSuite('mutant', makePair, { halfClose: true, test: collecting })
      for (const { name, body } of cases.filter(({ name }) => failsAt.test(name))) {
        let over = false
        const run = body()
          .catch(() => failures.push(name))
          .finally(() => {
            over = true
          })
        while (!over) await vi.advanceTimersByTimeAsync(50)
        await run
      }
      expect(failures.join()).toMatch(failsAt)
    })
  }
})
