/** The settings of a server that a link can say, from the words of one. */
import { builtin } from '../../builtin/kinds.ts'
import { type Kinds, transportNames } from '../../kinds/kinds.ts'
import { linkStream } from './outbound.ts'
import { isNetwork, readTransport } from './transport.ts'

/** Our word for tcp with the http header, which is no transport of its own. */
const disguised = 'tcp-http'

/** Every transport that there is and that a link can name, under all its names. */
export const serverTransports = (kinds: Kinds = builtin): readonly string[] => [
  ...transportNames(kinds).filter(isNetwork),
  disguised,
]

/** What a path is to a transport: needed, a word that both ends may have (the seed of mKCP), or of no use. */
export function pathOfTransport(word: string): 'needed' | 'optional' | undefined {
  const { network } = readTransport({ part: '', network: word === disguised ? 'ws' : word })
  if (network === 'tcp') return undefined
  return network === 'kcp' ? 'optional' : 'needed'
}

/** `network` and its settings. `path`: the path, the service name of grpc, or the seed of mKCP. */
export function serverStream(word: string, path = ''): Record<string, unknown> {
  const http = word === disguised
  return linkStream(
    readTransport({
      part: 'the transport',
      network: http ? 'tcp' : word,
      ...(http && { headerType: 'http' }),
      path: path.startsWith('/') ? path : `/${path}`,
      serviceName: path,
      seed: path,
    }),
  )
}
