import type { Conn, ConnInfo } from '../../core/conn.ts'
import type { RequestHead } from '../../protocol/http/head.ts'
import { canonicalName, type Header } from '../../protocol/http/headers.ts'
import { join } from '../../protocol/wire/join.ts'
import type { OutgoingHttpHeaders, ServerRequest } from '../http2/model.ts'
import type { Rejected } from '../upgrade/strangers.ts'
import type { Exchange } from './exchange.ts'

const nothing = new Uint8Array(0)

/** A request that came by HTTP/2. */
export class Http2Exchange implements Exchange {
  readonly head: RequestHead
  readonly #request: ServerRequest
  readonly #nowMs: () => number

  constructor(request: ServerRequest, nowMs: () => number) {
    this.#request = request
    this.#nowMs = nowMs
    const { method, path, authority, headers } = request
    const named = Object.entries(headers).filter(([name]) => !name.startsWith(':') && name !== 'host')
    this.head = {
      method,
      target: path,
      minor: 1,
      headers: [
        ...(authority === '' ? [] : [{ name: 'Host', value: authority }]),
        ...named.flatMap(([name, value]) =>
          [value ?? ''].flat().map((text) => ({ name: canonicalName(name), value: text })),
        ),
      ],
    }
  }

  get info(): ConnInfo {
    return this.#request.info
  }

  get client(): string {
    return this.#request.client
  }

  get on(): Conn {
    return this.#request.conn
  }

  get bodyLength(): number | undefined {
    const length = this.#request.headers['content-length'] ?? ''
    return /^\d{1,15}$/.test(length) ? Number(length) : undefined
  }

  async body(max: number, keep: boolean): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = []
    let length = 0
    for (let bytes = await this.#request.conn.read(); bytes; bytes = await this.#request.conn.read()) {
      length += bytes.length
      if (length > max) return undefined
      if (keep) parts.push(bytes)
    }
    return parts.length === 0 ? nothing : join(parts)
  }

  answer(status: number, headers: readonly Header[]): void {
    const { conn } = this.#request
    this.#request.respond(this.#headers(status, headers))
    conn.closeWrite()
    conn.destroy()
  }

  refuse({ reason, elsewhere }: Rejected): void {
    this.#request.deny(reason, elsewhere)
  }

  open(headers: readonly Header[]): Conn {
    this.#request.respond(this.#headers(200, headers))
    return this.#request.conn
  }

  #headers(status: number, headers: readonly Header[]): OutgoingHttpHeaders {
    const named = Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), value]))
    return { ':status': status, ...named, date: new Date(this.#nowMs()).toUTCString() }
  }
}
