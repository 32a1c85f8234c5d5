import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Dialer, DialOptions } from '../../core/dialer.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Header } from '../../protocol/http/headers.ts'
import { join } from '../../protocol/wire/join.ts'
import { type Asking, asking, makeId } from '../../protocol/xhttp/asking.ts'
import { requestHeaders } from '../../protocol/xhttp/browser-headers.ts'
import { dataHeaders } from '../../protocol/xhttp/data.ts'
import { draw } from '../../protocol/xhttp/model.ts'
import type { XhttpConfig } from '../../settings/xhttp.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { SplitConn } from './split-conn.ts'
import { type SendPost, Uploader } from './uploader.ts'
import { type Wire, wrongAnswer } from './wire.ts'
import { Wires } from './wires.ts'

/** xhttp over what a dialer opens: as many carriers, one after the other, as the halves of a connection need. */
export const xhttpClient =
  (config: XhttpConfig, deps: UpgradeDeps) =>
  (base: Dialer): Dialer => {
    const wires = new Wires(config, deps, base)
    return {
      async dial(to, options) {
        const host = hostOf(to, config, deps)
        const wire = await wires.to(to, host, options)
        try {
          const conn = await new Opening(config, deps, wire, host, options).open()
          conn.onGone(() => wire.done())
          return conn
        } catch (error) {
          wire.done()
          throw error
        }
      },
    }
  }

/** As Xray has it: without the port. */
function hostOf({ host }: Address, config: XhttpConfig, { secure, serverName }: UpgradeDeps): string {
  if (config.host !== '') return config.host
  if (secure && serverName !== '') return serverName
  return host.includes(':') ? `[${host}]` : host
}

/** What is in headers has to leave room for the others: web servers take 8 KiB of them. */
const headPostMax = 4_096

/** One connection that is being opened. */
class Opening {
  readonly #config: XhttpConfig
  readonly #deps: UpgradeDeps
  readonly #wire: Wire
  readonly #host: string
  readonly #options: DialOptions
  readonly #headers: readonly Header[]
  readonly #id: string

  constructor(config: XhttpConfig, deps: UpgradeDeps, wire: Wire, host: string, options: DialOptions) {
    this.#config = config
    this.#deps = deps
    this.#wire = wire
    this.#host = host
    this.#options = options
    this.#headers = requestHeaders(config.headers, deps.env.clock.now())
    this.#id = config.shape.mode === 'stream-one' ? '' : makeId(config.ids, deps.env.random)
  }

  /** `auto` is packet-up, which everything in between lets through. */
  async open(): Promise<Conn> {
    switch (this.#config.shape.mode) {
      case 'stream-one':
        return this.#stream(true)
      case 'stream-up':
        return this.#streamUp()
      default:
        return this.#packetUp()
    }
  }

  async #streamUp(): Promise<Conn> {
    const [first, second] = await Promise.allSettled([this.#stream(false), this.#stream(true)])
    if (first.status === 'rejected' || second.status === 'rejected') {
      for (const half of [first, second]) if (half.status === 'fulfilled') half.value.destroy()
      throw [first, second].find((half) => half.status === 'rejected')!.reason
    }
    const [down, up] = [first.value, second.value]
    // The answer to an upload only says that somebody is there.
    up.drainTo(() => {}).catch(() => {})
    up.onGone((why) => {
      if (why instanceof ProxyError && why.code === 'UPGRADE_FAILED') down.destroy(why)
    })
    down.onGone((why) => up.destroy(why))
    return new SplitConn(down, { writing: up })
  }

  async #packetUp(): Promise<Conn> {
    const { postBytes, postsIntervalMs, shape } = this.#config
    const { clock, random } = this.#deps.env
    const down = await this.#stream(false)
    const inHead = shape.data.at === 'header' || shape.data.at === 'cookie'
    const most = draw(random, postBytes)
    const uploader = new Uploader({
      clock,
      maxBytes: inHead ? Math.min(most, headPostMax) : most,
      intervalMs: () => draw(random, postsIntervalMs),
      send: (seq, body, hear) => (inHead ? this.#postInHead(down, seq, body, hear) : this.#post(down, seq, body, hear)),
      failed: (error) => down.destroy(error),
    })
    down.onGone((why) => uploader.end(why))
    return new SplitConn(down, { writing: uploader })
  }

  async #post(
    down: Conn,
    seq: number,
    body: readonly Uint8Array[],
    hear: Parameters<SendPost>[2],
    more: readonly Header[] = [],
  ) {
    const { method } = this.#config.shape
    const status = await this.#wire.post(this.#ask(method, more, seq), body, hear, down)
    const error = wrongAnswer(status, `upload ${seq} (Host: ${this.#host})`)
    if (error) throw error
  }

  #postInHead(down: Conn, seq: number, body: readonly Uint8Array[], hear: Parameters<SendPost>[2]): Promise<void> {
    const carried = dataHeaders(join(body), this.#config.shape.data, this.#deps.env.random)
    for (const piece of body) hear.taken(piece)
    return this.#post(down, seq, [], hear, carried)
  }

  #stream(upload: boolean): Promise<Conn> {
    const { noGrpcHeader, shape } = this.#config
    const more = upload && !noGrpcHeader ? [{ name: 'Content-Type', value: 'application/grpc' }] : []
    return this.#wire.stream(this.#ask(upload ? shape.method : 'GET', more), upload, this.#options)
  }

  #ask(method: string, more: readonly Header[], seq?: number): Asking {
    const { env, secure } = this.#deps
    const numbered = seq === undefined ? {} : { seq }
    const headers = [...this.#headers, ...more]
    return asking(
      this.#config.shape,
      { secure, host: this.#host },
      { method, id: this.#id, headers, ...numbered },
      env.random,
    )
  }
}
