/** From samples to rows: what every measurement hands over, whatever it has measured. */

import { median } from './figures.ts'

export interface Figure {
  /** Heads a row. */
  readonly name: string
  readonly digits: number
  /** What counts over all rounds: the median, or the sum (of failures). */
  readonly of?: 'median' | 'sum'
  /** Less is better, if it does not say `more`. */
  readonly better?: 'less' | 'more'
  /** Where it stands in the picture: under which title, and at which name. */
  readonly bar?: { readonly panel: string; readonly at: string }
}

/** What a program could not do. Its cells say so, and the run goes on. */
export interface Failure {
  /** Of the program; none: of the measurement itself. */
  readonly program?: string
  /** What the names of the rows that it leaves empty start with; all of them if it is empty. */
  readonly rows: string
  readonly reason: string
}

export interface Row extends Figure {
  /** By program. */
  readonly values: Readonly<Record<string, number>>
  readonly samples: Readonly<Record<string, readonly number[]>>
}

export class Results {
  readonly failures: Failure[] = []
  readonly #figures = new Map<string, { figure: Figure; samples: Record<string, number[]> }>()

  /** One sample. Rows stand in the order of their first one. */
  add(program: { readonly name: string }, figure: Figure, value: number): void {
    const known = this.#figures.get(figure.name) ?? { figure, samples: {} }
    this.#figures.set(figure.name, known)
    known.samples[program.name] = [...(known.samples[program.name] ?? []), value]
  }

  rows(): readonly Row[] {
    return [...this.#figures.values()].map(({ figure, samples }) => {
      const total = figure.of === 'sum' ? (all: readonly number[]) => all.reduce((sum, one) => sum + one, 0) : median
      const values = Object.fromEntries(Object.entries(samples).map(([name, all]) => [name, total(all)]))
      return { ...figure, values, samples }
    })
  }
}
