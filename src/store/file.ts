import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type Libsql from 'libsql'
import { ProxyError } from '../core/errors.ts'

/**
 * The path of the store without links, so that two names of one file have one lock. File and folder are created when
 * missing, for the owner alone; SQLite gives the files beside it the same mode.
 */
export function prepareFile(path: string): string {
  // Also keeps libsql from taking a name such as "http:…" for a remote database.
  const full = resolve(path)
  makeFolder(dirname(full))
  create(full)
  if (!statSync(full).isFile()) throw new ProxyError('STORE_FAILED', `the store of used traffic ${path} is not a file`)
  accessSync(full, constants.R_OK | constants.W_OK)
  return realpathSync(full)
}

/**
 * Claims the store for this process, until the returned function is called or the process ends, however it ends: the kernel
 * drops the lock. It lies on a file of its own, beside the store, so that the store can be read and backed up meanwhile.
 * The file stays: whoever deleted it could delete the lock of the next process.
 */
export function lockFile(Database: typeof Libsql, path: string): () => void {
  const lockPath = `${path}.lock`
  create(lockPath)
  accessSync(lockPath, constants.R_OK | constants.W_OK)
  const lock = new Database(lockPath)
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!(error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY')) throw error
    throw new ProxyError('STORE_FAILED', `the store of used traffic ${path} is in use by another process`, {
      hint: 'stop the other process, or name a file for each: two would overwrite each other’s totals',
    })
  }
  return () => {
    lock.exec('ROLLBACK')
    lock.close()
  }
}

/** Level by level: with `recursive` Node tries for ever where a folder cannot be made, such as below /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  mkdirSync(path, 0o700)
}

/** Never opens a file that is there: closing it would drop the locks that this process has on it. */
function create(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}
