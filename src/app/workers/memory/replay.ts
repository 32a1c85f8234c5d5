import type { Clock, Random } from '../../../core/env.ts'
import { limits } from '../../../core/limits.ts'
import type { SeenAuths, SeenSessions } from '../../../protocol/vmess/replay.ts'
import { createTable, ExpiringTable, type TableMemory } from './expiring-table.ts'

/** What must not come twice, whichever thread it comes to. */
export interface ReplayTables {
  readonly auths: TableMemory
  readonly sessions: TableMemory
}

const authBytes = 16
const sessionBytes = 48

export function createReplayTables(clock: Pick<Clock, 'now'>, random: Random): ReplayTables {
  const epochS = secondsOf(clock)
  const [a, b] = new Int32Array(random.fill(new Uint8Array(8)).buffer)
  return {
    auths: createTable(authBytes / 4, limits.replayEntries, epochS, a!),
    sessions: createTable(sessionBytes / 4, limits.replayEntries, epochS, b!),
  }
}

/** Whatever it is, it lies in a table that all threads have. */
abstract class OverTable {
  protected readonly table: ExpiringTable
  readonly #clock: Pick<Clock, 'now'>

  constructor(clock: Pick<Clock, 'now'>, table: TableMemory, who: number) {
    this.#clock = clock
    this.table = new ExpiringTable(table, who)
  }

  /** A thread has ended. */
  forget(who: number): void {
    this.table.forget(who)
  }

  protected get nowS(): number {
    return secondsOf(this.#clock)
  }
}

/** As ReplayMemory, for all threads that have its table. */
export class SharedReplay extends OverTable implements SeenAuths {
  readonly #key = new KeyWords(authBytes)

  seen(authId: Uint8Array, timeS: number): boolean {
    return this.table.has(this.#key.of(authId), timeS, this.nowS)
  }

  remember(authId: Uint8Array, timeS: number): boolean {
    return this.table.add(this.#key.of(authId), timeS, timeS + limits.clockSkewS, this.nowS)
  }
}

/** As SessionHistory, likewise. */
export class SharedHistory extends OverTable implements SeenSessions {
  readonly #key = new KeyWords(sessionBytes)

  enter(id: Uint8Array, key: Uint8Array, iv: Uint8Array, timeS: number): boolean {
    const { nowS } = this
    const expiresS = Math.max(nowS + limits.sessionHistoryS, timeS + limits.clockSkewS)
    return this.table.add(this.#key.of(id, key, iv), timeS, expiresS, nowS)
  }
}

const secondsOf = (clock: Pick<Clock, 'now'>): number => Math.floor(clock.now() / 1000)

/** Bytes as words, always in the same place: nothing is made for a look-up. */
class KeyWords {
  readonly #words: Int32Array
  readonly #bytes: Uint8Array

  constructor(bytes: number) {
    this.#words = new Int32Array(bytes / 4)
    this.#bytes = new Uint8Array(this.#words.buffer)
  }

  of(...parts: readonly Uint8Array[]): Int32Array {
    let at = 0
    for (const part of parts) {
      this.#bytes.set(part, at)
      at += part.length
    }
    return this.#words
  }
}
