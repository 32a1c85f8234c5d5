import { appendFile } from 'node:fs'
import type { TLSSocket } from 'node:tls'
import type { Logger } from '../../core/env.ts'

/**
 * Appends the keys of connections to a file that only its owner can read, in the form of SSLKEYLOGFILE; `''`: does nothing.
 * A file that cannot be written to is told once, and ends no connection.
 */
export function keyLog(path: string, log: Logger): (socket: TLSSocket) => void {
  if (path === '') return () => {}
  let told = false
  const failed = (error: Error | null): void => {
    if (error && !told)
      log.warn({}, `the keys of TLS connections cannot be written to "masterKeyLog": ${error.message}`)
    told ||= error !== null
  }
  return (socket) => void socket.on('keylog', (line: Buffer) => appendFile(path, line, { mode: 0o600 }, failed))
}
