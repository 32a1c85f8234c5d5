import { readFileSync } from 'node:fs'

/**
 * How many descriptors this process may have, or Infinity where it cannot be known. Node has raised the soft limit to the
 * hard one at its start.
 */
export function openFilesLimit(): number {
  try {
    const soft = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
