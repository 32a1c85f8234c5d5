/** `serve --transport NAME --path TEXT`. */
import { pathOfTransport, serverStream, serverTransports } from '../../config/link/server-stream.ts'
import type { Random } from '../../core/env.ts'
import { didYouMean } from '../../schema/suggest.ts'
import { usageError } from '../process/exit.ts'

interface TransportFlags {
  readonly transport?: string | undefined
  readonly path?: string | undefined
}

/**
 * `streamSettings` without TLS; undefined where nothing is asked for. A path that is needed and not given is one that nobody
 * can guess. @throws CliError for an unknown transport, or a path where there is none
 */
export function streamOf({ transport, path }: TransportFlags, random: Random): Record<string, unknown> | undefined {
  if (transport === undefined) {
    if (path !== undefined) throw usageError('--path needs --transport')
    return undefined
  }
  const word = transport.trim().toLowerCase()
  const words = serverTransports()
  if (!words.includes(word)) {
    const hint = didYouMean(word, words)
    throw usageError(`--transport ${transport}: give one of ${words.join(', ')}${hint ? `; ${hint}` : ''}`)
  }
  const has = pathOfTransport(word)
  if (!has && path !== undefined) throw usageError(`--path: ${word} has no path; tcp-http has one`)
  return serverStream(word, path ?? (has === 'needed' ? unguessable(random) : ''))
}

const unguessable = (random: Random): string => Buffer.from(random.fill(new Uint8Array(6))).toString('base64url')
