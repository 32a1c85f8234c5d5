import type { Conn } from '../../core/conn.ts'
import type { Passage } from '../../core/dialer.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { valuesOf } from '../../protocol/http/headers.ts'
import { join } from '../../protocol/wire/join.ts'
import { answerHeaders, preflightHeaders, streamHeaders } from '../../protocol/xhttp/answers.ts'
import { takeData } from '../../protocol/xhttp/data.ts'
import { judge } from '../../protocol/xhttp/judge.ts'
import { draw } from '../../protocol/xhttp/model.ts'
import { makePadding } from '../../protocol/xhttp/padding.ts'
import type { XhttpConfig } from '../../settings/xhttp.ts'
import { Http2Passage } from '../http2/server.ts'
import { wrongHost } from '../upgrade/host.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { rejected } from '../upgrade/strangers.ts'
import { pathOf } from '../upgrade/target.ts'
import type { Exchange } from './exchange.ts'
import { Http1Passage } from './http1-passage.ts'
import { Http2Exchange } from './http2-exchange.ts'
import { Sessions } from './sessions.ts'
import { SplitConn } from './split-conn.ts'

/** Takes xhttp by HTTP/1.1 and HTTP/2, told apart by their first bytes. All ports of an inbound share its sessions. */
export function xhttpServer(config: XhttpConfig, deps: UpgradeDeps): (accept: (conn: Conn) => void) => Passage {
  const sessions = new Sessions({
    clock: deps.env.clock,
    maxPosts: config.maxBufferedPosts,
    onAdmitted: deps.onAdmitted,
  })
  return (accept) => {
    const service = new Service(config, deps, sessions, accept)
    const other = new Http1Passage(config, deps, (exchange) => service.serve(exchange))
    const serve = (exchange: Http2Exchange): void => {
      service.serve(exchange).catch((error: Error) => exchange.on.destroy(error))
    }
    return new Http2Passage(
      {
        kind: { layer: 'xhttp', halfClose: 'none' },
        forwarded: config.forwarded,
        serve: (request) => serve(new Http2Exchange(request, deps.env.clock.now)),
        other,
      },
      deps,
    )
  }
}

/** What is done with a request, whatever it came by. */
class Service {
  readonly #config: XhttpConfig
  readonly #deps: UpgradeDeps
  readonly #sessions: Sessions
  readonly #accept: (conn: Conn) => void

  constructor(config: XhttpConfig, deps: UpgradeDeps, sessions: Sessions, accept: (conn: Conn) => void) {
    this.#config = config
    this.#deps = deps
    this.#sessions = sessions
    this.#accept = accept
  }

  async serve(exchange: Exchange): Promise<void> {
    const { head } = exchange
    const { shape, servedHost } = this.#config
    const verdict = judge(head, { path: pathOf(head.target) ?? '', wrongHost: wrongHost(head, servedHost) }, shape)
    switch (verdict.kind) {
      case 'stranger':
        return exchange.refuse(verdict)
      case 'mismatch':
        return this.#mismatch(exchange, verdict.status, verdict.reason)
      case 'preflight':
        return exchange.answer(200, [...this.#headers(exchange), ...preflightHeaders(head)])
      case 'one':
        return this.#accept(this.#open(exchange))
      case 'down':
        return this.#down(exchange, verdict.id)
      case 'up':
        return this.#up(exchange, verdict.id)
      case 'post':
        return this.#post(exchange, verdict.id, verdict.seq)
    }
  }

  #headers({ head }: Exchange) {
    return answerHeaders(head, this.#config.shape, this.#deps.env.random)
  }

  #mismatch(exchange: Exchange, status: number, reason: string): void {
    this.#deps.onFailedHandshake(exchange.client, rejected(exchange.head, reason))
    exchange.answer(status, this.#headers(exchange))
  }

  #open(exchange: Exchange): Conn {
    return exchange.open([...this.#headers(exchange), ...streamHeaders(!this.#config.noSseHeader)])
  }

  #down(exchange: Exchange, id: string) {
    const session = this.#sessions.of(id)
    if (!session) return this.#mismatch(exchange, 404, 'its session is over, or the upload came too long before it')
    if (session.connected) return this.#mismatch(exchange, 409, 'its session has a stream downwards already')
    const down = this.#open(exchange)
    session.connect(down)
    session.carriedBy(exchange.info)
    this.#accept(new SplitConn(down, { reading: session.uplink }, () => session.admit()))
  }

  #up(exchange: Exchange, id: string) {
    const session = this.#sessions.of(id)
    if (!session) return this.#mismatch(exchange, 404, 'its session is over')
    if (session.uplink.streamed) return this.#mismatch(exchange, 409, 'its session has a stream upwards already')
    const padded = this.#config.shape.padding.placed || valuesOf(exchange.head.headers, 'Referer').length > 0
    const up = exchange.open([...this.#headers(exchange), ...streamHeaders(false)])
    session.uplink.attach(up)
    session.carriedBy(exchange.info)
    if (padded) this.#keepAlive(up)
  }

  /** The answer to a stream upwards says something now and then, so that nobody in between takes it for dead. */
  #keepAlive(up: Conn): void {
    const { streamUpServerSecs: seconds, shape } = this.#config
    const { clock, random } = this.#deps.env
    if (seconds.to <= 0) return
    let cancel = (): void => {}
    const say = (): void => {
      const padding = makePadding({ ...shape.padding, method: 'repeat-x' }, random)
      const wait = up.write(new TextEncoder().encode(padding))
      // Who does not read it needs no more of it.
      const next = (): void => {
        if (!up.gone) cancel = clock.after(draw(random, seconds) * 1000, say)
      }
      if (wait) wait.then(next, () => {})
      else next()
    }
    up.onGone(() => cancel())
    say()
  }

  async #post(exchange: Exchange, id: string, seq: number): Promise<void> {
    const { shape, postBytes } = this.#config
    const inHead = takeData(exchange.head, shape.data)
    if (!inHead) return this.#mismatch(exchange, 400, 'what its headers or cookies carry is no base64url')
    const session = this.#sessions.of(id)
    if (!session) return this.#mismatch(exchange, 404, 'its session is over')
    session.carriedBy(exchange.info)
    const max = postBytes.to
    const place =
      (exchange.bodyLength ?? 0) > max ? 'large' : await session.place(seq, exchange.bodyLength ?? max, exchange.on)
    if (place === 'none') return this.#mismatch(exchange, 500, 'its session is over, or has a stream upwards')
    let bytes: Uint8Array | undefined
    let taken = true
    try {
      const body = place === 'large' ? undefined : await this.#body(exchange, place === 'kept')
      const parts =
        shape.data.at === 'header' || shape.data.at === 'cookie' ? inHead : [...inHead, ...(body ? [body] : [])]
      const length = parts.reduce((sum, part) => sum + part.length, 0)
      if (body && length <= max) bytes = join(parts)
    } finally {
      if (place === 'kept') taken = session.settle(seq, bytes)
    }
    if (!bytes) {
      const large = `it has more bytes than scMaxEachPostBytes here, which is ${max}`
      return this.#mismatch(exchange, 413, large)
    }
    if (!taken) return this.#mismatch(exchange, 500, 'its session is over, or has a stream upwards')
    const cached = exchange.bodyLength === 0 ? [{ name: 'Cache-Control', value: 'no-store' }] : []
    exchange.answer(200, [...this.#headers(exchange), ...cached])
  }

  async #body(exchange: Exchange, keep: boolean): Promise<Uint8Array | undefined> {
    const late = new ProxyError('HANDSHAKE_TIMEOUT', `an upload took more than ${limits.xhttpPostMs / 1000} s`)
    const cancel = this.#deps.env.clock.after(limits.xhttpPostMs, () => exchange.on.destroy(late))
    return exchange.body(this.#config.postBytes.to, keep).finally(cancel)
  }
}
