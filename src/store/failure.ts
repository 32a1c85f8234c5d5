import { ProxyError } from '../core/errors.ts'

const permission =
  'the user that runs this must be able to write to the file and to its folder, where SQLite keeps more'
const full = 'the disk is full: free some space'
const noFolder = 'a part of the path is a file, not a folder'

/** What to do, by the code of SQLite or of the system. */
const hints: Readonly<Record<string, string>> = {
  EACCES: permission,
  EPERM: permission,
  SQLITE_READONLY: permission,
  SQLITE_CANTOPEN: permission,
  EROFS: 'the file system is read-only: name a file elsewhere',
  EEXIST: noFolder,
  ENOTDIR: noFolder,
  ENOSPC: full,
  SQLITE_FULL: full,
  SQLITE_NOTADB: 'name another file, or move this one away',
  SQLITE_CORRUPT: 'the file is damaged: put a backup in its place, or move it away to begin from zero',
  SQLITE_BUSY: 'another program holds a write transaction on it: let it finish',
}

/** The failure of a step on the store `path` as STORE_FAILED. */
export function storeFailure(path: string, error: unknown): ProxyError {
  const code = codeOf(error)
  // Extended codes of SQLite begin with the plain one: SQLITE_READONLY_DIRECTORY.
  const known = Object.keys(hints).find((name) => code === name || code.startsWith(`${name}_`))
  const message = `the store of used traffic ${path}: ${error instanceof Error ? error.message : String(error)}`
  return new ProxyError('STORE_FAILED', message, { cause: error, ...(known && { hint: hints[known]! }) })
}

/** Runs a step on the store `path`. @throws ProxyError STORE_FAILED */
export function onStore<T>(path: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    throw error instanceof ProxyError ? error : storeFailure(path, error)
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  // What libsql says of a file that it cannot open carries the number of the code only.
  if ('code' in error && error.code) return String(error.code)
  return error.message.includes('Unable to open connection') ? 'SQLITE_CANTOPEN' : ''
}
