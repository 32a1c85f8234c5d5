import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'libsql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ProxyError } from '../core/errors.ts'
import { unlimited } from '../core/user-limits.ts'
import { migrate } from './schema.ts'
import { openSqliteStore } from './sqlite.ts'
import type { StoredUser, UsageStore } from './store.ts'

let folder: string
let path: string
const opened: UsageStore[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmess-store-'))
  path = join(folder, 'usage.db')
})
afterEach(() => {
  for (const store of opened.splice(0)) store.close()
  rmSync(folder, { recursive: true })
})

async function open(at = path): Promise<UsageStore> {
  const store = await openSqliteStore(at)
  opened.push(store)
  return store
}

const refusal = (at = path): Promise<unknown> =>
  open(at).then(
    () => 'opened',
    (error: unknown) => error,
  )
const user = (email: string, uplink: number, downlink = 0): StoredUser => ({ email, uplink, downlink })
const disabled = { configured: unlimited, limits: { ...unlimited, enabled: false } }
const byEmail = (users: readonly StoredUser[]) => [...users].sort((a, b) => (a.email < b.email ? -1 : 1))

/** As an operator with a tool of his own. */
function withSqlite<T>(at: string, work: (db: Sqlite.Database) => T): T {
  const db = new Sqlite(at)
  try {
    return work(db)
  } finally {
    db.close()
  }
}

describe('the store', () => {
  it('is created with its folders, for its owner alone', async () => {
    const at = join(folder, 'new', 'deep', 'usage.db')
    const store = await open(at)
    expect(store.load()).toEqual([])
    store.write([user('a', 1)], 0)
    for (const name of readdirSync(join(folder, 'new', 'deep'))) {
      expect(statSync(join(folder, 'new', 'deep', name)).mode & 0o777, name).toBe(0o600)
    }
    expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o700)
  })

  it('has after a restart what was written last', async () => {
    const first = await open()
    first.write(
      [
        { ...user('a', 1, 2), firstUse: 1_700_000_000_000 },
        { ...user('b', 2 ** 53 - 1, 7), firstUse: 1_700_000_000_000, override: disabled },
        user('c', 5),
      ],
      1,
    )
    first.write([user('a', 10, 20), { ...user('c', 6), override: disabled }], 2)
    first.write([user('c', 0)], 3)
    first.close()
    expect(byEmail((await open()).load())).toEqual([
      user('a', 10, 20),
      { ...user('b', 2 ** 53 - 1, 7), firstUse: 1_700_000_000_000, override: disabled },
      user('c', 0),
    ])
  })

  it('writes all of a batch or nothing', async () => {
    const store = await open()
    store.write([user('a', 1)], 0)
    expect(() => store.write([user('a', 2), user('b', Number.NaN)], 0)).toThrowError(
      expect.objectContaining({ code: 'STORE_FAILED' }),
    )
    expect(store.load()).toEqual([user('a', 1)])
    store.write([user('a', 3)], 0)
    expect(store.load()).toEqual([user('a', 3)])
  })

  it('keeps ten thousand users', async () => {
    const users = Array.from({ length: 10_000 }, (_, i) =>
      user(`user${String(i).padStart(5, '0')}@example.org`, i, 2 * i),
    )
    const store = await open()
    store.write(users, 0)
    await store.sync()
    store.close()
    expect(byEmail((await open()).load())).toEqual(users)
  })

  it('does not let its log grow without end', async () => {
    const store = await open()
    const users = Array.from({ length: 200 }, (_, i) => user(`user${i}`, 0))
    for (let round = 0; round < 1000; round++)
      store.write(
        users.map((it) => ({ ...it, uplink: round })),
        round,
      )
    expect(statSync(`${path}-wal`).size).toBeLessThan(8 * 2 ** 20)
  })

  it('forgets limits that someone edited beyond recognition, and keeps the traffic', async () => {
    const store = await open()
    store.write(
      [
        { ...user('a', 5), override: disabled },
        { ...user('b', 6), override: disabled },
      ],
      0,
    )
    store.close()
    withSqlite(path, (db) => {
      db.exec(`UPDATE users SET override = '{"enabled":"no"}' WHERE email = 'a'`)
      db.exec(`UPDATE users SET override = 'quota', configured = '[' WHERE email = 'b'`)
    })
    expect(byEmail((await open()).load())).toEqual([user('a', 5), user('b', 6)])
  })

  it('takes a limit that an older version did not know for not set', async () => {
    const store = await open()
    store.write([{ ...user('a', 5), override: disabled }], 0)
    store.close()
    withSqlite(path, (db) => db.exec(`UPDATE users SET configured = '{}', override = '{"enabled":false}'`))
    expect((await open()).load()).toEqual([{ ...user('a', 5), override: disabled }])
  })

  it('leaves one file behind that is complete without the others', async () => {
    const store = await open()
    store.write([user('a', 5)], 0)
    store.close()
    copyFileSync(path, join(folder, 'copy.db'))
    expect((await open(join(folder, 'copy.db'))).load()).toEqual([user('a', 5)])
  })

  it('can be read and backed up while it is in use', async () => {
    const store = await open()
    store.write([user('a', 5)], 0)
    const backup = join(folder, 'backup.db')
    withSqlite(path, (db) => db.exec(`VACUUM INTO '${backup}'`))
    store.write([user('a', 6)], 0)
    expect((await open(backup)).load()).toEqual([user('a', 5)])
    expect(store.load()).toEqual([user('a', 6)])
  })

  it('says so when its file is deleted or replaced, and goes on when it is back', async () => {
    const store = await open()
    const aside = join(folder, 'aside.db')
    renameSync(path, aside)
    const lost = expect.objectContaining({
      code: 'STORE_FAILED',
      message: expect.stringMatching(/deleted or replaced/),
    })
    expect(() => store.write([user('a', 1)], 1)).toThrow(lost)
    writeFileSync(path, '')
    expect(() => store.write([user('a', 2)], 1)).toThrow(lost)
    renameSync(aside, path)
    store.write([user('a', 3)], 1)
    expect(store.load()).toEqual([user('a', 3)])
  })

  it('says so when another program writes to it, and can be written to afterwards', async () => {
    const store = await open()
    withSqlite(path, (db) => {
      db.exec('BEGIN IMMEDIATE')
      expect(() => store.write([user('a', 5)], 0)).toThrowError(
        expect.objectContaining({ code: 'STORE_FAILED', hint: expect.stringContaining('write transaction') }),
      )
      db.exec('ROLLBACK')
    })
    store.write([user('a', 5)], 0)
    expect(store.load()).toEqual([user('a', 5)])
  })
})

it('opens while someone reads it, e.g. for a backup that was begun before', async () => {
  const first = await open()
  first.write([user('a', 5)], 0)
  const reader = new Sqlite(path)
  reader.exec('BEGIN')
  expect(reader.prepare('SELECT uplink FROM users').all()).toHaveLength(1)
  first.close()
  const second = await open()
  second.write([user('a', 6)], 0)
  expect(second.load()).toEqual([user('a', 6)])
  expect(reader.prepare('SELECT uplink FROM users').all()).toMatchObject([{ uplink: 5 }])
  reader.exec('ROLLBACK')
  reader.close()
})

describe('a second owner', () => {
  it('is refused, by whatever name it comes, until the first one closes', async () => {
    const first = await open()
    mkdirSync(join(folder, 'x'))
    for (const at of [path, join(folder, 'x', '..', 'usage.db')]) {
      const error = await refusal(at)
      expect(error).toBeInstanceOf(ProxyError)
      expect(error).toMatchObject({ code: 'STORE_FAILED', message: expect.stringContaining('in use by another') })
      expect(error).toMatchObject({ message: expect.stringContaining('usage.db'), hint: expect.stringMatching(/./) })
    }
    first.write([user('a', 1)], 0)
    first.close()
    expect((await open()).load()).toEqual([user('a', 1)])
  })
})

describe('what is refused', () => {
  it('a store of a newer version, which it leaves as it is', async () => {
    ;(await open()).close()
    withSqlite(path, (db) => db.exec(`UPDATE meta SET value = '99' WHERE key = 'schema'`))
    expect(await refusal()).toMatchObject({ code: 'STORE_FAILED', message: expect.stringContaining('newer version') })
    const rows = withSqlite(path, (db) => db.prepare('SELECT value FROM meta').all()) as { value: string }[]
    expect(rows.map(({ value }) => value)).toEqual(['99'])
  })

  it('a database of another program', async () => {
    withSqlite(path, (db) => db.exec('CREATE TABLE users (name TEXT)'))
    expect(await refusal()).toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining('no store of used'),
    })
    withSqlite(path, (db) => db.exec('CREATE TABLE meta (key TEXT, value TEXT)'))
    expect(await refusal()).toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining('no store of used'),
    })
  })

  it.each([
    ['a text', 'not a database, not at all\n'.repeat(100)],
    ['a short text', 'short'],
  ])('%s, which it leaves as it is', async (_what, text) => {
    writeFileSync(path, text)
    const error = await refusal()
    expect(error).toMatchObject({ code: 'STORE_FAILED', message: expect.stringContaining(path) })
    expect(error).toMatchObject({ hint: expect.stringContaining('name another file') })
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  it('a folder', async () => {
    mkdirSync(path)
    expect(await refusal()).toMatchObject({ code: 'STORE_FAILED', message: expect.stringContaining('is not a file') })
  })

  // Where Node's own recursive mkdir never comes back.
  it.runIf(process.platform === 'linux')('a folder that cannot be made', async () => {
    await expect(openSqliteStore('/proc/no/such/usage.db')).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })

  it('a path through a file', async () => {
    writeFileSync(path, '')
    expect(await refusal(join(path, 'usage.db'))).toMatchObject({
      code: 'STORE_FAILED',
      hint: expect.stringMatching(/./),
    })
  })

  it.each(['the folder', 'the file'])('what may not be written to: %s', async (what) => {
    ;(await open()).close()
    if (what === 'the folder') rmSync(`${path}.lock`)
    chmodSync(path, what === 'the file' ? 0o444 : 0o666)
    chmodSync(folder, what === 'the file' ? 0o777 : 0o555)
    const error = await asNobody(() => refusal())
    chmodSync(folder, 0o700)
    expect(error).toMatchObject({ code: 'STORE_FAILED', message: expect.stringContaining(path) })
    expect(error).toMatchObject({ hint: expect.stringContaining('must be able to write') })
  })
})

/** Root may write anywhere, so it steps back for a while. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const root = process.geteuid?.() === 0
  if (root) process.seteuid?.(65534)
  try {
    return await work()
  } finally {
    if (root) process.seteuid?.(0)
  }
}

describe('a migration', () => {
  const steps = ['CREATE TABLE users (email TEXT)', 'ALTER TABLE users ADD COLUMN note TEXT']

  it('brings an older store up to date and keeps what is in it', () => {
    withSqlite(path, (db) => {
      migrate(db, path, steps.slice(0, 1))
      db.exec(`INSERT INTO users VALUES ('a')`)
      migrate(db, path, steps)
      migrate(db, path, steps)
      expect(db.prepare('SELECT email, note FROM users').all()).toMatchObject([{ email: 'a', note: null }])
      expect(db.prepare('SELECT value FROM meta').all()).toMatchObject([{ value: '2' }])
    })
  })

  it('that fails leaves the older store', () => {
    withSqlite(path, (db) => {
      migrate(db, path, steps.slice(0, 1))
      expect(() => migrate(db, path, [...steps, 'no SQL'])).toThrow()
      expect(db.prepare('SELECT value FROM meta').all()).toMatchObject([{ value: '1' }])
      migrate(db, path, steps)
    })
  })
})

describe('a crash', () => {
  it('in the middle of a write leaves what was written before, whole', async () => {
    const store = await open()
    const rounds = 12
    const users = (round: number) => Array.from({ length: 50 }, (_, i) => user(`user${i}`, round, round))
    const sizes = [statSync(`${path}-wal`).size]
    for (let round = 1; round <= rounds; round++) {
      store.write(users(round), round)
      sizes.push(statSync(`${path}-wal`).size)
    }
    const log = sizes.at(-1)!
    for (let cut = 0; cut <= 60; cut++) {
      const length = Math.floor((log * cut) / 60)
      const crashed = join(folder, `crashed${cut}.db`)
      copyFileSync(path, crashed)
      copyFileSync(`${path}-wal`, `${crashed}-wal`)
      truncateSync(`${crashed}-wal`, length)
      const whole = sizes.filter((size) => size <= length).length - 1
      const reopened = await open(crashed)
      expect(byEmail(reopened.load())).toEqual(whole > 0 ? byEmail(users(whole)) : [])
      reopened.close()
    }
  })
})
