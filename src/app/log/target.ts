import { closeSync, openSync, writeSync } from 'node:fs'
import { ProxyError } from '../../core/errors.ts'

/** Where lines go. `write` takes whole lines with their line feed. */
export interface LogTarget {
  write(line: string): void
  /** Opens the file anew, after it was moved away. @throws ProxyError LOG_FAILED; lines then go where they went. */
  reopen(): void
  close(): Promise<void>
}

/** As fs.writeSync: how many bytes from `offset` on were written. */
type Write = (fd: number, bytes: Uint8Array, offset: number) => number

export interface LogStream {
  write(text: string): unknown
}

/**
 * `''` is `stdout`, `'none'` is undefined, anything else a file that is opened for append and created.
 * A file is written synchronously: the last lines before a crash are the ones that matter.
 *
 * @throws ProxyError LOG_FAILED when the file cannot be opened.
 */
export function openTarget(
  where: string,
  streams: { stdout: LogStream; stderr: LogStream },
  write: Write = writeSync,
): LogTarget | undefined {
  if (where === 'none') return undefined
  if (where === '') {
    return { write: (line) => void streams.stdout.write(line), reopen: () => {}, close: async () => {} }
  }
  const file = new LogFile(where, write, (text) => streams.stderr.write(`${text}\n`))
  return {
    write: (line) => file.write(line),
    reopen: () => file.reopen(),
    close: async () => file.close(),
  }
}

/**
 * A file that is written line by line, whatever happens to it. While it cannot be written (the disk is full) lines are lost,
 * but every line tries anew, and the first that succeeds is followed by how many were lost.
 */
class LogFile {
  readonly #path: string
  readonly #write: Write
  readonly #tell: (text: string) => void
  #fd: number
  /** What a failed write left of its line, so that no line is cut. */
  #rest: Uint8Array = new Uint8Array()
  #lost = 0
  #failing = false
  #closed = false

  constructor(path: string, write: Write, tell: (text: string) => void) {
    this.#path = path
    this.#write = write
    this.#tell = tell
    this.#fd = openAppend(path)
  }

  write(line: string): void {
    if (this.#closed) return
    if (this.#lost > 0) {
      const note = `${this.#lost} lines are missing here: the file could not be written\n`
      if (!this.#put(note)) {
        this.#lost++
        return
      }
      this.#lost = 0
    }
    if (!this.#put(line)) this.#lost++
  }

  /** @throws ProxyError LOG_FAILED */
  reopen(): void {
    const before = this.#fd
    this.#fd = openAppend(this.#path)
    this.#rest = new Uint8Array()
    this.#failing = false
    closeQuietly(before)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    closeQuietly(this.#fd)
  }

  /** False when nothing of it was written; what has begun is ended by the next. */
  #put(text: string): boolean {
    try {
      this.#rest = this.#writeAll(this.#rest)
      if (this.#rest.length > 0) return false
      this.#rest = this.#writeAll(Buffer.from(text))
      this.#failing = false
      return true
    } catch (error) {
      if (!this.#failing)
        this.#tell(`the log file ${this.#path} cannot be written: ${(error as Error).message}; it is tried again`)
      this.#failing = true
      return false
    }
  }

  /** Returns what is left where it had to end inside the text. @throws where nothing could be written */
  #writeAll(bytes: Uint8Array): Uint8Array {
    let at = 0
    while (at < bytes.length) {
      try {
        at += this.#write(this.#fd, bytes, at)
      } catch (error) {
        if (at === 0) throw error
        return bytes.subarray(at)
      }
    }
    return new Uint8Array()
  }
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // Written it is, as far as it could be.
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EISDIR: 'it is a directory',
  ENOENT: 'its directory does not exist',
  EROFS: 'the file system is read-only',
}

function openAppend(path: string): number {
  try {
    return openSync(path, 'a', 0o640)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    const reason = reasons[code] ?? code
    throw new ProxyError('LOG_FAILED', `the log file ${path} cannot be opened: ${reason}`, { cause: error })
  }
}
