import { createHash } from 'node:crypto'
import { userId } from './program.ts'

/** Ids of so many users: that of all measurements, and others that are the same in every run. */
export const userIds = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => (i === 0 ? userId : idOf(i)))

function idOf(index: number): string {
  const hex = createHash('md5').update(`user ${index}`).digest('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
