/** What a conversion could not carry over. */
import { redactId } from '../../core/env.ts'

export interface Lost {
  /** Where it stands, in the names of V2Ray 4's format, or of the foreign file; `''`: in the whole. */
  readonly path: string
  /** As it was written. */
  readonly value: unknown
  readonly why: string
}

/** Collects them. */
export class Losses {
  readonly list: Lost[] = []

  say(path: string, value: unknown, why: string): void {
    this.list.push({ path, value, why })
  }
}

const secrets = /(?:^|[._])(?:id|uuid|pass|password|token|key|seed|clients|users|accounts|control)(?:$|\[)/i

/** One line for a person. Secrets are cut, long values shortened. */
export function showLost({ path, value, why }: Lost): string {
  const named = path === '' ? '' : `${path}: `
  return `not carried over: ${named}${value === undefined ? '' : `${shown(path, value)}: `}${why}`
}

function shown(path: string, value: unknown): string {
  const text = JSON.stringify(value, (key, member) =>
    typeof member === 'string' && secrets.test(key) ? '***' : member,
  )
  if (secrets.test(path) && typeof value === 'string') return JSON.stringify(redactId(value))
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

/** Where pins stay behind, what trusted them alone must not trust everybody. */
export const pinsLost = 'the pins of the certificate stay behind, so that it is verified instead'
