import { request as httpRequest, type IncomingMessage } from 'node:http'
import { type Address, formatAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Dialer } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { forever, type Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { countInto } from '../../core/streams/meter.ts'
import { onceEvery } from '../../core/time/once-every.ts'
import type { SiteAnswer, SiteRequest, Website } from '../../core/website.ts'
import { DuplexSocket } from '../../net/streams/duplex-socket.ts'
import { relay } from '../../relay/relay.ts'
import type { FallbackConfig } from '../../settings/stream.ts'
import { folderSite } from '../../transport/website/folder.ts'
import { say } from '../../transport/website/http1.ts'
import { page } from '../../transport/website/pages.ts'
import { plainSite } from '../../transport/website/plain.ts'

export interface WebsiteDeps {
  readonly env: Env
  /** To the server that answers. */
  readonly dialer: Dialer
}

/** What whoever is not for the proxy meets. Throws for a folder that cannot be read. */
export function websiteOf(config: FallbackConfig | undefined, deps: WebsiteDeps): Website {
  if (!config) return plainSite
  return 'root' in config ? folderSite(config.root) : new ServerSite(config.to, deps)
}

const idle = { connIdleMs: limits.siteIdleMs, uplinkOnlyMs: limits.siteIdleMs, downlinkOnlyMs: limits.siteIdleMs }

/** As a web server answers that cannot reach the one behind it. */
const unreachable = () => page(502)

/** Another server. A connection of HTTP/1 is given to it with every byte as it came, a request of HTTP/2 as one of HTTP/1. */
class ServerSite implements Website {
  readonly configured = true
  readonly #to: Address
  readonly #deps: WebsiteDeps
  readonly #due: (key: string) => boolean

  constructor(to: Address, deps: WebsiteDeps) {
    this.#to = to
    this.#deps = deps
    this.#due = onceEvery(deps.env.clock, limits.siteWarningMs)
  }

  async takeOver(carrier: Conn): Promise<void> {
    const { clock } = this.#deps.env
    try {
      const far = await this.#reach(carrier)
      if (far) await relay(carrier, far, idle, clock, countInto({ uplink: 0, downlink: 0 }))
      else await say(carrier, clock, unreachable(), { keepAlive: false })
    } catch {
      carrier.destroy() // it broke, and there is nobody left to tell
    }
  }

  async answer(request: SiteRequest): Promise<SiteAnswer> {
    const far = await this.#reach(forever)
    if (!far) return unreachable()
    const cancel = this.#deps.env.clock.after(limits.siteSendMs, () => far.destroy())
    try {
      return answerOf(await asked(request, new DuplexSocket(far, this.#deps.env.clock)), far)
    } catch {
      far.destroy()
      return unreachable()
    } finally {
      cancel()
    }
  }

  async #reach(until: Lifetime): Promise<Conn | undefined> {
    const { env, dialer } = this.#deps
    try {
      return await dialer.dial(this.#to, { until })
    } catch (error) {
      if (!until.gone && this.#due('')) {
        const what = `the fallback server ${formatAddress(this.#to)} cannot be reached`
        env.log.warn({}, `${what}: ${(error as Error).message}`)
      }
      return undefined
    }
  }
}

/** Asks by HTTP/1, and for one answer. */
function asked({ method, target, headers, body }: SiteRequest, socket: DuplexSocket): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      createConnection: () => socket as never,
      method,
      path: target,
      headers: headers.flat(),
      setHost: false,
    })
    request.on('response', resolve).on('error', reject)
    if (body) void pass(body, request).catch(() => request.destroy())
    else request.end()
  })
}

async function pass(body: Pick<Conn, 'read'>, into: ReturnType<typeof httpRequest>): Promise<void> {
  for (let bytes = await body.read(); bytes; bytes = await body.read()) {
    const piece = bytes
    await new Promise<void>((resolve, reject) => into.write(piece, (error) => (error ? reject(error) : resolve())))
  }
  into.end()
}

/** What concerned the connection with that server. */
const ofConnection: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade'])

function answerOf(response: IncomingMessage, far: Conn): SiteAnswer {
  const { rawHeaders, statusCode = 502 } = response
  const headers = rawHeaders.flatMap((name, i) =>
    i % 2 === 0 && !ofConnection.has(name.toLowerCase()) ? [[name, rawHeaders[i + 1]!] as const] : [],
  )
  return { status: statusCode, headers, body: { chunks: () => response, close: () => far.destroy() } }
}
