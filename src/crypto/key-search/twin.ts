/** The search by the native twin: many keys at once, with the AES instructions of the processor. */
import type { TwinSearch } from '../twin.ts'
import type { KeySearch } from './model.ts'

/** Slots that share a group, as `native/key-search.h` lays it out. */
const groupSlots = 16

export class TwinKeySearch implements KeySearch {
  readonly speed = 20
  readonly #search: TwinSearch
  /** Keys as the twin wants them: 177 bytes each. It knows no empty slots but those that are all zeros. */
  #table = new Uint8Array(0)

  constructor(search: TwinSearch) {
    this.#search = search
  }

  set(slot: number, key: Uint8Array): void {
    this.#hold(slot)
    this.#search.setKey(this.#table, slot, key)
  }

  clear(slot: number): void {
    if (slot < this.#slots) this.#search.clearKey(this.#table, slot)
  }

  find(block: Uint8Array, from: number, to: number): number {
    return this.#search.findKey(this.#table, block, from, to)
  }

  matches(slot: number, block: Uint8Array): boolean {
    return this.find(block, slot, slot + 1) === slot
  }

  open(slot: number, block: Uint8Array, into: Uint8Array): void {
    this.#search.openWithKey(this.#table, slot, block, into)
  }

  get #slots(): number {
    return (this.#table.length / this.#search.groupBytes) * groupSlots
  }

  /** Grows by a quarter, so that many keys waste little. */
  #hold(slot: number): void {
    const have = this.#slots
    if (slot < have) return
    const groups = Math.ceil(Math.max(slot + 1, have + (have >> 2)) / groupSlots)
    const table = new Uint8Array(groups * this.#search.groupBytes)
    table.set(this.#table)
    this.#table = table
  }
}
