import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type Libsql from 'libsql'
import { ProxyError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { onStore, storeFailure } from './failure.ts'
import { lockFile, prepareFile } from './file.ts'
import { formatLimits, parseLimits } from './limits-text.ts'
import { migrate, transact } from './schema.ts'
import type { StoredUser, UsageStore } from './store.ts'

/** Opens the SQLite file, or creates it. Held by one process at a time. @throws ProxyError STORE_FAILED */
export async function openSqliteStore(path: string): Promise<UsageStore> {
  const Database = await loadSqlite()
  return onStore(path, () => {
    const file = prepareFile(path)
    const unlock = lockFile(Database, file)
    try {
      return new SqliteStore(path, file, new Database(file), unlock)
    } catch (error) {
      unlock()
      throw error
    }
  })
}

/** Loaded only when it is needed: it is native code, and most programs run without. */
async function loadSqlite(): Promise<typeof Libsql> {
  try {
    return (await import('libsql')).default
  } catch (error) {
    throw new ProxyError('STORE_FAILED', `SQLite cannot be loaded: ${String(error)}`, {
      cause: error,
      hint: 'libsql comes built for Linux, macOS and Windows; was it installed with "--omit=optional"?',
    })
  }
}

interface Row {
  readonly email: string
  readonly uplink: number
  readonly downlink: number
  readonly configured: string | null
  readonly override: string | null
  readonly first_use: number | null
}

class SqliteStore implements UsageStore {
  readonly #path: string
  readonly #file: string
  readonly #db: Libsql.Database
  readonly #put: Libsql.Statement<unknown[]>
  readonly #unlock: () => void
  /** Which file it is, whatever lies at its path later. */
  readonly #identity: string | undefined
  #closed = false

  constructor(path: string, file: string, db: Libsql.Database, unlock: () => void) {
    this.#path = path
    this.#file = file
    this.#db = db
    this.#unlock = unlock
    this.#identity = identityOf(file)
    try {
      set(db, `busy_timeout = ${limits.storeBusyMs}`)
      // A commit is one append to the log, without waiting for the disk; sync() waits, off this thread.
      set(db, 'journal_mode = WAL')
      set(db, 'synchronous = NORMAL')
      migrate(db, path)
      this.#put = db.prepare(
        `INSERT INTO users (email, uplink, downlink, configured, override, first_use, updated) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET uplink = excluded.uplink, downlink = excluded.downlink, first_use = excluded.first_use,
           configured = excluded.configured, override = excluded.override, updated = excluded.updated`,
      )
    } catch (error) {
      db.close()
      throw error
    }
  }

  load(): StoredUser[] {
    return onStore(this.#path, () => {
      const rows = this.#db
        .prepare('SELECT email, uplink, downlink, configured, override, first_use FROM users')
        .all() as Row[]
      return rows.map(storedUser)
    })
  }

  write(users: readonly StoredUser[], now: number): void {
    onStore(this.#path, () => {
      this.#mustBeThere()
      transact(this.#db, () => {
        for (const { email, uplink, downlink, override, firstUse = null } of users) {
          const configured = override ? formatLimits(override.configured) : null
          const limits = override ? formatLimits(override.limits) : null
          this.#put.run(email, uplink, downlink, configured, limits, firstUse, now)
        }
      })
    })
  }

  async sync(): Promise<void> {
    try {
      const log = await open(`${this.#file}-wal`, 'r+')
      await log.sync().finally(() => log.close())
    } catch (error) {
      // A store that was closed has no log any more.
      if (!this.#closed) throw storeFailure(this.#path, error)
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    try {
      // Brings everything into the one file. SQLite would do so when it closes it, but libsql lets it close only once the
      // collector has taken the prepared statement.
      set(this.#db, 'wal_checkpoint(TRUNCATE)')
    } catch {
      // The log stays, and is as good.
    }
    this.#db.close()
    this.#unlock()
  }

  /** What is written to a file without a name is lost with the process, and SQLite does not say so. */
  #mustBeThere(): void {
    if (identityOf(this.#file) === this.#identity) return
    const message = `the store of used traffic ${this.#path} was deleted or replaced while it was in use`
    throw new ProxyError('STORE_FAILED', message, { hint: 'put the file back, or restart to use what is there now' })
  }
}

function identityOf(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  return found && `${found.dev} ${found.ino}`
}

/** Some pragmas answer with a row, which exec() does not expect. */
const set = (db: Libsql.Database, pragma: string): void => void db.prepare(`PRAGMA ${pragma}`).all()

function storedUser({ email, uplink, downlink, configured, override, first_use: firstUse }: Row): StoredUser {
  const before = configured === null ? undefined : parseLimits(configured)
  const after = override === null ? undefined : parseLimits(override)
  return {
    email,
    uplink,
    downlink,
    ...(firstUse !== null && { firstUse }),
    ...(before && after && { override: { configured: before, limits: after } }),
  }
}
