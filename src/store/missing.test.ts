import { expect, it, vi } from 'vitest'
import { openSqliteStore } from './sqlite.ts'

vi.mock('libsql', () => {
  throw new Error('Cannot find module "@libsql/sunos-sparc"')
})

it('without a build of SQLite for this machine, says so, and only to those who want a store', async () => {
  const error: unknown = await openSqliteStore('/tmp/never/usage.db').catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'STORE_FAILED', message: expect.stringContaining('SQLite cannot be loaded') })
  expect(error).toMatchObject({ hint: expect.stringContaining('omit=optional') })
})
