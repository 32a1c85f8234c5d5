import type Libsql from 'libsql'
import { ProxyError } from '../core/errors.ts'

/** Entry n leads from version n of the schema to the next. What a release had is never changed: one more is added. */
const migrations: readonly string[] = [
  `CREATE TABLE users (
     email TEXT PRIMARY KEY,
     uplink INTEGER NOT NULL,
     downlink INTEGER NOT NULL,
     configured TEXT,
     override TEXT,
     updated INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  'ALTER TABLE users ADD COLUMN first_use INTEGER',
]

/** Brings the store to the present version of the schema, in one transaction. @throws ProxyError STORE_FAILED, SqliteError */
export function migrate(db: Libsql.Database, path: string, steps: readonly string[] = migrations): void {
  transact(db, () => {
    const version = versionOf(db, path)
    if (version > steps.length) {
      throw new ProxyError(
        'STORE_FAILED',
        `the store of used traffic ${path} was written by a newer version (schema ${version}, known here: ${steps.length})`,
        { hint: 'install that version again, or name another file' },
      )
    }
    if (version === steps.length) return
    db.exec('CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID')
    for (const step of steps.slice(version)) db.exec(step)
    db.exec(`INSERT INTO meta VALUES ('schema', '${steps.length}') ON CONFLICT DO UPDATE SET value = excluded.value`)
  })
}

/** 0 for a database without anything in it. */
function versionOf(db: Libsql.Database, path: string): number {
  const tables = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all() as { name: string }[]
  if (tables.length === 0) return 0
  const found = tables.some(({ name }) => name === 'meta')
    ? (db.prepare(`SELECT value FROM meta WHERE key = 'schema'`).all() as { value: string }[])
    : []
  const version = Number(found[0]?.value)
  if (Number.isInteger(version) && version > 0) return version
  throw new ProxyError('STORE_FAILED', `${path} is a database, but no store of used traffic`, {
    hint: 'name another file',
  })
}

/** All of it or nothing. */
export function transact(db: Libsql.Database, steps: () => void): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    steps()
    db.exec('COMMIT')
  } catch (error) {
    try {
      db.exec('ROLLBACK')
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full.
    }
    throw error
  }
}
