import { openSync } from 'node:fs'
import { pino } from 'pino'
import { ProxyError } from '../../core/errors.ts'

/** Where lines go. `write` takes whole lines with their line feed. */
export interface LogTarget {
  write(line: string): void
  /** Opens the file anew, after it was moved away. @throws ProxyError LOG_FAILED; lines then go where they went. */
  reopen(): void
  close(): Promise<void>
}

export interface LogStream {
  write(text: string): unknown
}

/**
 * `''` is `stdout`, `'none'` is undefined, anything else a file that is opened for append and created.
 * A file is written synchronously: the last lines before a crash are the ones that matter.
 *
 * @throws ProxyError LOG_FAILED when the file cannot be opened.
 */
export function openTarget(where: string, streams: { stdout: LogStream; stderr: LogStream }): LogTarget | undefined {
  if (where === 'none') return undefined
  if (where === '') {
    return { write: (line) => void streams.stdout.write(line), reopen: () => {}, close: async () => {} }
  }
  let told = false
  const open = () => {
    const opened = pino.destination({ dest: openAppend(where), sync: true })
    opened.on('error', (error: Error) => {
      if (!told) streams.stderr.write(`the log file ${where} can no longer be written: ${error.message}\n`)
      told = true
    })
    return opened
  }
  let file = open()
  return {
    write: (line) => void file.write(line),
    reopen() {
      const before = file
      file = open()
      told = false
      before.end()
    },
    close: () =>
      new Promise((resolve) => {
        file.once('close', () => resolve())
        file.end()
      }),
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
