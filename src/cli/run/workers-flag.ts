import { limits } from '../../core/limits.ts'
import type { WorkersConfig } from '../../settings/model.ts'
import { usageError } from '../process/exit.ts'

/** `--workers`: a number or auto; undefined where it was not given. */
export function readWorkersFlag(text: string | undefined): WorkersConfig | undefined {
  if (text === undefined || text === 'auto') return text
  const number = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= limits.workers) return number
  throw usageError(`--workers ${text}: write a number from 1 to ${limits.workers}, or auto`)
}
