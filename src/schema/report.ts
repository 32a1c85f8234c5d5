import { redactId } from '../core/env.ts'
import type { ProblemCode } from './codes.ts'
import type { Problem, Severity } from './problem.ts'
import { type ListOrigin, RememberedList } from './remembered-list.ts'
import { positionOf, type Source } from './tree.ts'

/** Where a message points: a value in a file, and its path in the configuration. */
export interface Place {
  readonly source: Source
  readonly offset: number
  readonly path: string
}

interface Origin {
  readonly place: Place
  /** Places of the members that were written; `alike`: all are where the object is. */
  readonly children: Pick<ReadonlyMap<string, Place>, 'get' | 'has'> | 'alike'
}

/** Beyond this many, problems are only counted. */
const maxProblems = 1000

const ranks: Record<Severity, number> = { error: 0, warning: 1, info: 2 }

interface Found {
  readonly code: ProblemCode
  readonly severity: Severity
  readonly place: Place
  readonly message: string
  readonly hint?: string | undefined
  readonly excerpt?: string | undefined
}

/** Collects everything there is to say, and remembers from where decoded objects came. */
export class Report {
  readonly #found: Found[] = []
  readonly #parts = new Map<string, { places: Place[]; text: string }>()
  readonly #origins = new WeakMap<object, Origin>()
  readonly #lists: RememberedList[] = []
  readonly #said = new Set<string>()
  #untold = 0

  error(code: ProblemCode, place: Place, message: string, hint?: string): void {
    this.#add({ code, severity: 'error', place, message, hint })
  }

  warn(code: ProblemCode, place: Place, message: string, hint?: string): void {
    this.#add({ code, severity: 'warning', place, message, hint })
  }

  info(code: ProblemCode, place: Place, message: string, hint?: string): void {
    this.#add({ code, severity: 'info', place, message, hint })
  }

  syntax(place: Place, message: string, excerpt: string, hint?: string): void {
    this.#add({ code: 'CFG001', severity: 'error', place, message, hint, excerpt })
  }

  /** One warning for each part of the configuration that is checked but not applied, however often it occurs. */
  notApplied(part: string, place: Place, text: string): void {
    const known = this.#parts.get(part)
    if (known) known.places.push(place)
    else this.#parts.set(part, { places: [place], text })
  }

  #add(found: Found): void {
    const { code, place, message } = found
    const key = `${code} ${place.source.order} ${place.offset} ${place.path} ${message}`
    if (this.#said.has(key)) return
    this.#said.add(key)
    if (this.#found.length < maxProblems || found.severity === 'error') this.#found.push(found)
    else this.#untold++
  }

  /** Says that `object` was decoded from what is at `place`, and where its members are. */
  remember(object: object, place: Place, children: ReadonlyMap<string, Place>): void {
    this.#origins.set(object, { place, children })
  }

  /** Says that `list` was decoded from what is at `place`. Items that are not remembered themselves are when they are asked for. */
  rememberList(list: readonly unknown[], place: Place, origin: ListOrigin<Place>): void {
    const has = (key: string) => Number(key) < list.length
    const get = (key: string) => (has(key) ? origin.placeOf(Number(key)) : undefined)
    this.#origins.set(list, { place, children: { get, has } })
    this.#lists.push(new RememberedList(list, origin))
  }

  #originOf(object: object): Origin | undefined {
    const known = this.#origins.get(object)
    if (known) return known
    for (const list of this.#lists) {
      for (const [mine, fresh] of list.again(object)) {
        const origin = this.#origins.get(fresh)
        if (origin) this.#origins.set(mine, origin)
      }
    }
    return this.#origins.get(object)
  }

  /** Lets `object`, and every member of it, stand for what is at `place`. */
  alias(object: object, place: Place): void {
    this.#origins.set(object, { place, children: 'alike' })
  }

  /** The place of a decoded object or array, or of a member of it; of the object itself where the member is missing. */
  at(object: object, key?: string | number): Place {
    const origin = this.#originOf(object)
    if (!origin) throw new TypeError('not an object of this configuration')
    const { place, children } = origin
    if (key === undefined || children === 'alike') return place
    return children.get(String(key)) ?? { ...place, path: join(place.path, key) }
  }

  /** Whether the member was written at all; its value may have been refused. */
  wrote(object: object, key: string): boolean {
    const children = this.#originOf(object)?.children
    return children === 'alike' || (children?.has(key) ?? false)
  }

  /** Everything that was reported: errors, warnings, then infos, each in the order of the files. */
  problems(strict: boolean): Problem[] {
    for (const [part, { places, text }] of this.#parts) {
      const others = places.length > 1 ? ` (in ${places.length} places)` : ''
      this.warn('CFG032', places[0]!, `${part}: ${text}${others}`)
    }
    this.#parts.clear()
    const sorted = [...this.#found].sort(
      (a, b) =>
        rank(a, strict) - rank(b, strict) ||
        a.place.source.order - b.place.source.order ||
        a.place.offset - b.place.offset,
    )
    const problems = sorted.slice(0, maxProblems).map((found) => toProblem(found, strict))
    const untold = this.#untold + sorted.length - problems.length
    if (untold > 0) problems.push({ ...nowhere, message: `${untold} more problems are not shown` })
    return problems
  }
}

const nowhere = { code: 'CFG037', severity: 'info', path: '', file: '', line: 0, column: 0 } as const

const severityOf = (found: Found, strict: boolean): Severity =>
  strict && found.severity === 'warning' ? 'error' : found.severity

const rank = (found: Found, strict: boolean): number => ranks[severityOf(found, strict)]

function toProblem(found: Found, strict: boolean): Problem {
  const { code, place, hint, excerpt } = found
  const { line, column } = positionOf(place.source, place.offset)
  const severity = severityOf(found, strict)
  const file = place.source.name
  const rest = { ...(hint !== undefined && { hint: hideIds(hint) }), ...(excerpt !== undefined && { excerpt }) }
  return { code, severity, path: hideIds(place.path), file, line, column, message: hideIds(found.message), ...rest }
}

/** A path and one more step: `a.b`, `a[3]`, `a["odd key"]`. */
export function join(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`
  if (!/^[\w$-]{1,64}$/.test(key)) return `${path}[${JSON.stringify(shorten(key, 64))}]`
  return path === '' ? key : `${path}.${key}`
}

const ids = /[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12,}/gi

/** The text with no more than the first eight characters of whatever is shaped like a UUID: it may stand anywhere by mistake. */
export const hideIds = (text: string): string => text.replace(ids, redactId)

/** The beginning of a long text and an ellipsis. An id is hidden before the cut, behind which it would not be known as one. */
export function shorten(text: string, max = 40): string {
  const safe = hideIds(text)
  return safe.length > max ? `${safe.slice(0, max - 1)}…` : safe
}
