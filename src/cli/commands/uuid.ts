import { systemEnv } from '../../app/instance/env.ts'
import { customId, formatUuid, randomUuid } from '../../app/users/ids.ts'
import { usageError } from '../process/exit.ts'

/** A random version 4 UUID, or the one that a custom id of 1 to 30 bytes stands for. */
export function uuid(input: string | undefined): string {
  if (input === undefined) return randomUuid(systemEnv().random)
  const bytes = Buffer.byteLength(input)
  if (bytes > 30) throw usageError(`Input must be within 30 bytes. This text has ${bytes}.`)
  if (bytes === 0) throw usageError('Input must have at least one byte.')
  return formatUuid(customId(input))
}
