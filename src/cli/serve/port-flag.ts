import { usageError } from '../process/exit.ts'

/** A port of a flag, 1 to 65535. */
export function readPortFlag(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65535) return port
  throw usageError(`--port ${text}: give a number from 1 to 65535`)
}
