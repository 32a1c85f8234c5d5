/** `serve --transport NAME --path TEXT`: the settings of a server that a link can say. */
import { linkStream } from '../config/link/outbound.ts'
import { isNetwork, readTransport } from '../config/link/transport.ts'
import type { Random } from '../core/env.ts'
import { type Kinds, transportNames } from '../kinds/kinds.ts'
import { didYouMean } from '../schema/suggest.ts'
import { usageError } from './exit.ts'

/** Our word for tcp with the http header, which is no transport of its own. */
const disguised = 'tcp-http'

/** What the flag takes: every transport that a link can name. */
export const transportWords = (kinds: Kinds): readonly string[] => [
  ...transportNames(kinds).filter(isNetwork),
  disguised,
]

/**
 * `streamSettings` without TLS. `path`: the path, the service name of grpc or the seed of mKCP; what nobody can guess where
 * one is needed and none is given. @throws CliError for an unknown transport, or a path where there is none
 */
export function streamOf(
  flags: { readonly transport?: string | undefined; readonly path?: string | undefined },
  kinds: Kinds,
  random: Random,
): Record<string, unknown> | undefined {
  if (flags.transport === undefined) {
    if (flags.path !== undefined) throw usageError('--path needs --transport')
    return undefined
  }
  const word = flags.transport.trim().toLowerCase()
  const words = transportWords(kinds)
  if (!words.includes(word)) {
    const hint = didYouMean(word, words)
    throw usageError(`--transport ${flags.transport}: give one of ${words.join(', ')}${hint ? `; ${hint}` : ''}`)
  }
  const http = word === disguised
  const plain = readTransport({ part: '--transport', network: http ? 'tcp' : word })
  const { network } = plain
  if (network === 'tcp' && !http) {
    if (flags.path !== undefined) throw usageError(`--path: ${word} has no path; ${disguised} has one`)
    return linkStream(plain)
  }
  const unguessable = Buffer.from(random.fill(new Uint8Array(6))).toString('base64url')
  const path = flags.path ?? (network === 'kcp' ? '' : unguessable)
  const rooted = path.startsWith('/') ? path : `/${path}`
  return linkStream(
    readTransport({
      part: '--transport',
      network: http ? 'tcp' : word,
      ...(http && { headerType: 'http' }),
      path: rooted,
      serviceName: path,
      seed: path,
    }),
  )
}
