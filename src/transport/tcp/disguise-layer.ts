import type { Conn } from '../../core/conn.ts'
import type { Layer } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { farewell } from '../../core/streams/farewell.ts'
import { prefixed } from '../../core/streams/prefixed.ts'
import { textOf } from '../../protocol/http/text.ts'
import type { DisguiseConfig } from '../../settings/disguise.ts'
import { Serving, within } from '../passage.ts'
import { pathOf } from '../upgrade/target.ts'
import { refusalHead, requestHead, responseHead } from './disguise-heads.ts'
import { DisguisedConn } from './disguised-conn.ts'
import { HeadEnd } from './head-end.ts'

interface DisguiseDeps {
  readonly env: Env
  readonly handshakeTimeoutMs: number
  readonly onFailedHandshake: (remote: string, error: ProxyError) => void
}

/** A head of HTTP in front of each direction, and bare bytes behind it. */
export const disguiseLayer = (config: DisguiseConfig, deps: DisguiseDeps): Layer => ({
  name: 'http-header',
  client: (base) => ({
    async dial(to, options) {
      const carrier = await base.dial(to, options)
      return new DisguisedConn(carrier, { head: requestHead(config, deps.env.random), awaitsHead: true })
    },
  }),
  server: (accept) => {
    const undisguising = new Undisguising(config, deps)
    return new Serving({
      serve: (carrier) => undisguising.serve(carrier),
      accept,
      failed: deps.onFailedHandshake,
    })
  },
})

/** Takes carriers on which a request of the disguise comes; others are answered in V2Ray's words. */
class Undisguising {
  readonly #config: DisguiseConfig
  readonly #deps: DisguiseDeps

  constructor(config: DisguiseConfig, deps: DisguiseDeps) {
    this.#config = config
    this.#deps = deps
  }

  async serve(carrier: Conn): Promise<Conn | undefined> {
    const { env, handshakeTimeoutMs } = this.#deps
    const read = await within(env.clock, handshakeTimeoutMs, carrier, 'HTTP header', () => readRequest(carrier))
    if (!read || !this.#config.request.paths.includes(read.path)) return this.#refuse(carrier, read?.path)
    return new DisguisedConn(prefixed(carrier, read.rest), {
      head: responseHead(this.#config, env),
      awaitsHead: false,
      lastWord: () => refusalHead('400 Bad Request', env.clock.now()),
    })
  }

  async #refuse(carrier: Conn, path: string | undefined): Promise<undefined> {
    const { paths } = this.#config.request
    const what =
      path === undefined
        ? 'the bytes do not begin with an HTTP header: is the header of the client "http" too?'
        : `a request for ${JSON.stringify(path.slice(0, 200))} is not served: the paths here are ${paths.join(', ')}`
    this.#deps.onFailedHandshake(carrier.info.remote, new ProxyError('UPGRADE_REJECTED', what))
    const { clock } = this.#deps.env
    const status = path === undefined ? '400 Bad Request' : '404 Not Found'
    await farewell(carrier, clock, refusalHead(status, clock.now()))
  }
}

/** The path of the request, decoded, and what comes behind its head; undefined if it is no request. */
async function readRequest(carrier: Conn): Promise<{ path: string; rest: Uint8Array } | undefined> {
  const end = new HeadEnd()
  let text = ''
  for (let bytes = await carrier.read(); bytes; bytes = await carrier.read()) {
    const length = end.push(bytes)
    text += textOf(bytes.subarray(0, length))
    if (text.length > limits.disguiseHeadMax || !couldBeRequest(text)) return undefined
    if (length === undefined) continue
    const target = /^\S+ (\S+) HTTP\/\d\.\d\r\n/.exec(text)?.[1]
    const path = target && pathOf(target)
    return path === undefined || path === '' ? undefined : { path, rest: bytes.subarray(length) }
  }
  return undefined
}

/** Whether the first line, as far as it came, is one of a request. V2Ray sends paths in UTF-8 as they are. */
const couldBeRequest = (text: string): boolean =>
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]*(?: [!-~\x80-\xff]*(?: [!-~]*(?:\r|$)|$)|$)/.test(text)
