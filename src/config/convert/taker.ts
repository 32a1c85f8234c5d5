import type { Losses } from './lost.ts'
import { asPlain, asTexts, isEmpty, join, type Plain } from './plain.ts'

/** Takes members out of an object one after the other, and says which nobody has taken. */
export class Taker {
  readonly path: string
  readonly value: Plain
  readonly losses: Losses
  readonly #why: string
  readonly #taken = new Set<string>()

  constructor(value: unknown, path: string, losses: Losses, why: string) {
    this.value = asPlain(value)
    this.path = path
    this.losses = losses
    this.#why = why
  }

  take(key: string): unknown {
    this.#taken.add(key)
    const value = this.value[key]
    return value === null ? undefined : value
  }

  text(key: string): string {
    const value = this.take(key)
    return value === undefined ? '' : String(value)
  }

  texts(key: string): string[] {
    return asTexts(this.take(key)).filter((text) => text !== '')
  }

  inside(key: string): Taker {
    return new Taker(this.take(key), join(this.path, key), this.losses, this.#why)
  }

  /** One of a list that was taken. */
  item(key: string, value: unknown, index: number): Taker {
    return new Taker(value, join(join(this.path, key), index), this.losses, this.#why)
  }

  /** Says why a member stays behind, where it says anything. */
  lose(key: string, why: string, nothing: readonly unknown[] = []): void {
    const value = this.take(key)
    if (!isEmpty(value) && value !== false && !nothing.includes(value))
      this.losses.say(join(this.path, key), value, why)
  }

  /** Everything that was not taken is lost. */
  end(): void {
    for (const key of Object.keys(this.value)) if (!this.#taken.has(key)) this.lose(key, this.#why)
  }
}
