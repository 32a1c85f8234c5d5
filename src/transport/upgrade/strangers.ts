import { parseAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { SiteAnswer, SiteRequest } from '../../core/website.ts'
import type { RequestHead } from '../../protocol/http/head.ts'
import { canonicalName, valuesOf } from '../../protocol/http/headers.ts'
import { clientBehind } from '../client-address.ts'
import { within } from '../passage.ts'
import { say } from '../website/http1.ts'
import { badRequest } from '../website/pages.ts'
import { firstLineFault, headFault, headTooLarge, oldTarget } from '../website/request-rules.ts'
import type { UpgradeDeps } from './model.ts'
import { type Read, type Unread, wantsMore } from './read-request.ts'
import { skipBody } from './skip-body.ts'
import { hostOf } from './target.ts'

/** Why a request is not for us. */
export interface Rejected {
  readonly reason: string
  /** It asks for something else altogether, as a visitor of the web site does. */
  readonly elsewhere: boolean
}

/** Where a client is that comes by a trusted proxy, which is told to whatever counts; undefined: at the other end. */
export function clientOf(carrier: Conn, { headers }: RequestHead, deps: UpgradeDeps): string | undefined {
  const values = (name: string): string[] => valuesOf(headers, canonicalName(name))
  const client = clientBehind(carrier.info.remote, values, deps.trust)
  if (client !== undefined) deps.onClientAddress(carrier.info, client)
  return client
}

/** Answers as a web site, over HTTP/1, to whoever is not for the proxy. */
export class Strangers {
  readonly #deps: UpgradeDeps

  constructor(deps: UpgradeDeps) {
    this.#deps = deps
  }

  /** Of a visitor, who asks for something else altogether, only where there is no site. */
  tell(remote: string, { head, fault }: Read, { reason, elsewhere }: Rejected): void {
    if (elsewhere && this.#deps.website.configured) return
    const error = head
      ? rejected(head, reason)
      : new ProxyError('UPGRADE_REJECTED', `not served: ${reason}`, { cause: fault })
    this.#deps.onFailedHandshake(remote, error)
  }

  /** Gives what came behind the request, if another may come. `body`: that of the request, which ends the connection then. */
  async answer(carrier: Conn, read: Read, last: boolean, body?: Pick<Conn, 'read'>): Promise<Uint8Array | undefined> {
    const { clock } = this.#deps.env
    const { head } = read
    if (!head) {
      await this.#answerOdd(carrier, read)
      return undefined
    }
    const answer = headFault(head) ?? (await this.#siteSays(carrier, head, body))
    const keepAlive = !last && !body && !answer.last && wantsMore(head)
    await say(carrier, clock, answer, { keepAlive, only: head.method === 'HEAD' ? 'head' : undefined })
    if (!keepAlive) return undefined
    const skip = () => skipBody(carrier, head, read.rest)
    return within(clock, limits.strangerIdleMs, carrier, 'request', skip).catch(() => undefined)
  }

  /** To what cannot be read: HTTP/0.9 has a page without a head, everything else a word and an end. */
  async #answerOdd(carrier: Conn, { fault, bytes }: Unread): Promise<void> {
    const { clock } = this.#deps.env
    const target = oldTarget(bytes)
    if (target !== undefined) {
      const answer = await this.#siteSays(carrier, { method: 'GET', target, minor: 0, headers: [] })
      return say(carrier, clock, answer, { keepAlive: false, only: 'body' })
    }
    const answer = fault.status === 431 ? headTooLarge() : (firstLineFault(bytes) ?? badRequest())
    return say(carrier, clock, answer, { keepAlive: false })
  }

  #siteSays(carrier: Conn, head: RequestHead, body?: Pick<Conn, 'read'>): Promise<SiteAnswer> {
    return this.#deps.website.answer({ ...siteRequest(carrier, head, this.#deps.secure), ...(body && { body }) })
  }
}

function siteRequest(carrier: Conn, { method, target, headers }: RequestHead, secure: boolean): SiteRequest {
  const local = parseAddress(carrier.info.local)
  const host = hostOf(valuesOf(headers, 'Host')[0] ?? '') || (local?.host ?? 'localhost')
  const usual = !local || local.path !== undefined || local.port === (secure ? 443 : 80)
  const origin = `http${secure ? 's' : ''}://${host}${usual ? '' : `:${local.port}`}`
  return {
    method,
    target,
    origin,
    values: (name: string) => valuesOf(headers, canonicalName(name)),
    headers: headers.map(({ name, value }) => [name, value] as const),
  }
}

/** What the log says: it is the most frequent mistake of operators, so all that they can compare is in it. */
export function rejected(head: RequestHead, reason: string): ProxyError {
  const host = valuesOf(head.headers, 'Host')[0] ?? ''
  const shown = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
  return new ProxyError(
    'UPGRADE_REJECTED',
    `a request for ${shown(head.target)} (Host: ${shown(host)}) is not served: ${reason}`,
  )
}
