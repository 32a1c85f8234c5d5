import { parseAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Passage } from '../../core/dialer.ts'
import { isProxyError, ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { prefixed } from '../../core/streams/prefixed.ts'
import type { SiteAnswer } from '../../core/website.ts'
import { parseRequestHead, type RequestHead } from '../../protocol/http/head.ts'
import { HeadCollector } from '../../protocol/http/head-collector.ts'
import { canonicalName, tokensOf, valuesOf } from '../../protocol/http/headers.ts'
import { BadRequest } from '../../protocol/http/problems.ts'
import { clientBehind } from '../client-address.ts'
import { Serving, within } from '../passage.ts'
import { say } from '../website/http1.ts'
import { badRequest } from '../website/pages.ts'
import {
  firstLineFault,
  firstLineWatch,
  headFault,
  headTooLarge,
  oldTarget,
  withoutOddLines,
} from '../website/request-rules.ts'
import type { UpgradeDeps } from './model.ts'
import { type ReadHead, readHead } from './read-head.ts'
import { skipBody } from './skip-body.ts'
import { hostOf } from './target.ts'

/** A request that is for us. */
export interface Accepted {
  /** The whole 101. */
  readonly answer: Uint8Array
  /** The connection in it; `rest`: what came behind the request, owned; `client`: where it is, if it came by a proxy. */
  open(carrier: Conn, rest: Uint8Array, client: string | undefined): Conn
}

/** Why a request is not for us. */
export interface Rejected {
  readonly reason: string
  /** It asks for something else altogether, as a visitor of the web site does. */
  readonly elsewhere: boolean
}

/** What is to be done with a request. */
export type Judge = (head: RequestHead) => Accepted | Rejected

export interface UpgradeRules {
  readonly judge: Judge
  /** The address of a client is taken from X-Forwarded-For where a trusted proxy sends it. */
  readonly forwarded: boolean
}

/**
 * Takes carriers on which a request for an upgrade comes. Whoever is not meant meets a web site: also on a path that leads
 * somewhere, and for as many requests as a web server answers.
 */
export const upgradeServer =
  (rules: UpgradeRules, deps: UpgradeDeps) =>
  (accept: (conn: Conn) => void): Passage => {
    const upgrades = new Upgrades(rules, deps)
    return new Serving({ serve: (carrier) => upgrades.serve(carrier), accept, failed: deps.onFailedHandshake })
  }

class Upgrades {
  readonly #rules: UpgradeRules
  readonly #deps: UpgradeDeps

  constructor(rules: UpgradeRules, deps: UpgradeDeps) {
    this.#rules = rules
    this.#deps = deps
  }

  async serve(carrier: Conn): Promise<Conn | undefined> {
    const { website } = this.#deps
    /** What has come, for a server that takes the connection over. */
    const seen: Uint8Array[] | undefined = website.takeOver && []
    const source: Pick<Conn, 'read'> = seen ? { read: () => noted(carrier, seen) } : carrier
    let rest: Uint8Array | undefined
    for (let request = 1; request <= limits.strangerRequests; request++) {
      const read = await this.#read(carrier, source, rest, request > 1)
      if (!read) return undefined
      const client = read.head && this.#clientOf(carrier, read.head)
      const verdict = read.head ? this.#rules.judge(read.head) : { reason: read.fault.message, elsewhere: true }
      if ('open' in verdict) return this.#open(carrier, verdict, read.rest, client)
      this.#tell(client ?? carrier.info.remote, read, verdict)
      if (seen && website.takeOver) {
        await website.takeOver(prefixed(carrier, Buffer.concat(seen)))
        return undefined
      }
      rest = await this.#answer(carrier, read, request === limits.strangerRequests)
      if (!rest) return undefined
    }
    return undefined
  }

  /** Null: there is nobody, or nobody any more. */
  async #read(
    carrier: Conn,
    source: Pick<Conn, 'read'>,
    rest: Uint8Array | undefined,
    again: boolean,
  ): Promise<Read | null> {
    const collector = new HeadCollector('request', limits.upgradeHeadMax)
    try {
      // Not the time of the proxy's own handshakes: a web server that hangs up after four seconds would be none.
      const ms = again ? limits.strangerIdleMs : limits.siteHeadMs
      const head = () => readHead(source, collector, rest, firstLineWatch())
      const read = await within(this.#deps.env.clock, ms, carrier, 'request', head)
      return read && parse(read)
    } catch (error) {
      if (error instanceof BadRequest) return { fault: error, bytes: collector.head, rest: nothing }
      // Who came, said nothing of use and went is nobody's fault; who keeps us waiting is worth a line the first time.
      const late = isProxyError(error) && error.code === 'HANDSHAKE_TIMEOUT'
      if (late && !again) this.#deps.onFailedHandshake(carrier.info.remote, error)
      return null
    }
  }

  #clientOf(carrier: Conn, { headers }: RequestHead): string | undefined {
    if (!this.#rules.forwarded) return undefined
    const values = (name: string): string[] => valuesOf(headers, canonicalName(name))
    const client = clientBehind(carrier.info.remote, values, this.#deps.trust)
    if (client !== undefined) this.#deps.onClientAddress(carrier.info, client)
    return client
  }

  #open(carrier: Conn, accepted: Accepted, rest: Uint8Array, client: string | undefined): Conn {
    carrier.write(accepted.answer, () => {})?.catch(() => {}) // a broken carrier shows where it is read
    return accepted.open(carrier, rest, client)
  }

  /** Answers as a web site. Gives what came behind the request, if another may come. */
  async #answer(carrier: Conn, read: Read, last: boolean): Promise<Uint8Array | undefined> {
    const { clock } = this.#deps.env
    const { head } = read
    if (!head) {
      await this.#answerOdd(carrier, read)
      return undefined
    }
    const answer = headFault(head) ?? (await this.#siteSays(carrier, head))
    const keepAlive = !last && !answer.last && wantsMore(head)
    await say(carrier, clock, answer, { keepAlive, only: head.method === 'HEAD' ? 'head' : undefined })
    if (!keepAlive) return undefined
    const body = () => skipBody(carrier, head, read.rest)
    return within(clock, limits.strangerIdleMs, carrier, 'request', body).catch(() => undefined)
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

  #siteSays(carrier: Conn, head: RequestHead): Promise<SiteAnswer> {
    return this.#deps.website.answer(siteRequest(carrier, head, this.#deps.secure))
  }

  #tell(remote: string, { head, fault }: Read, { reason, elsewhere }: Rejected): void {
    if (elsewhere && this.#deps.website.configured) return
    const error = head
      ? rejected(head, reason)
      : new ProxyError('UPGRADE_REJECTED', `not served: ${reason}`, { cause: fault })
    this.#deps.onFailedHandshake(remote, error)
  }
}

const nothing = new Uint8Array(0)

/** A request, with what came behind it. */
interface Understood {
  readonly head: RequestHead
  readonly rest: Uint8Array
  readonly fault?: undefined
}

/** What came in its place. */
interface Unread {
  readonly head?: undefined
  readonly fault: BadRequest
  readonly bytes: Uint8Array
  readonly rest: Uint8Array
}

type Read = Understood | Unread

async function noted(carrier: Conn, seen: Uint8Array[]): Promise<Uint8Array | null> {
  const bytes = await carrier.read()
  if (bytes) seen.push(bytes)
  return bytes
}

function parse({ head, rest }: ReadHead): Read {
  try {
    return { head: parseRequestHead(withoutOddLines(head)), rest }
  } catch (fault) {
    if (fault instanceof BadRequest) return { fault, bytes: head, rest }
    throw fault
  }
}

function wantsMore({ minor, headers }: RequestHead): boolean {
  const wishes = tokensOf(headers, 'Connection')
  return minor === 1 ? !wishes.includes('close') : wishes.includes('keep-alive')
}

function siteRequest(carrier: Conn, { method, target, headers }: RequestHead, secure: boolean) {
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
function rejected(head: RequestHead, reason: string): ProxyError {
  const host = valuesOf(head.headers, 'Host')[0] ?? ''
  const shown = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
  return new ProxyError(
    'UPGRADE_REJECTED',
    `a request for ${shown(head.target)} (Host: ${shown(host)}) is not served: ${reason}`,
  )
}
