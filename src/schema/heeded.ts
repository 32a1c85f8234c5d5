import type { FieldNote } from './fields.ts'
import type { Place, Report } from './report.ts'

/** Says what comes of the fields of one object that have no effect, or that cannot be honoured. */
export class Heeded {
  readonly #report: Report
  /** Those that are told in one warning. */
  readonly #grouped: { readonly key: string; readonly place: Place; readonly reason: string }[] = []

  constructor(report: Report) {
    this.#report = report
  }

  heed(note: FieldNote | undefined, key: string, value: unknown, place: Place): void {
    if (!note?.effect || note.unless?.includes(value) || isEmpty(value)) return
    const { effect, grouped, code = 'CFG031', reason = '', hint } = note
    if (effect === 'refused') this.#report.error(code, place, `"${key}": ${reason}`, hint)
    else if (grouped) this.#grouped.push({ key, place, reason })
    else this.#report.warn('CFG030', place, `"${key}" has no effect: ${reason}`, hint)
  }

  /** One warning for what is grouped, at the first. */
  end(): void {
    const [first] = this.#grouped
    if (!first) return
    const told = [...new Set(this.#grouped.map(({ reason }) => reason))].map((reason) => {
      const keys = this.#grouped.filter((one) => one.reason === reason).map(({ key }) => `"${key}"`)
      return `${keys.join(', ')} ${keys.length === 1 ? 'has' : 'have'} no effect: ${reason}`
    })
    this.#report.warn('CFG030', first.place, told.join('; '))
  }
}

/** An array or object without members asks for nothing. */
const isEmpty = (value: unknown): boolean => typeof value === 'object' && Object.keys(value!).length === 0
