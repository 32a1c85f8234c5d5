import type { Conn } from '../../core/conn.ts'
import type { DialOptions } from '../../core/dialer.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { Asking } from '../../protocol/xhttp/asking.ts'
import type { Slot, Slots } from '../../protocol/xhttp/slots.ts'
import type { ClientSession, OutgoingHttpHeaders } from '../http2/model.ts'
import type { Opening } from './opening.ts'
import type { Hear } from './uploader.ts'
import { type Wire, wrongAnswer } from './wire.ts'

export interface Http2WireOptions {
  readonly slots: Slots<Opening>
  /** The slot that the connection has, and its session. */
  readonly slot: Slot<Opening>
  readonly session: ClientSession
  readonly secure: boolean
  readonly host: string
  /** Opens what is asked of another slot; undefined: the server speaks HTTP/1 there. */
  readonly sessionOf: (slot: Slot<Opening>, until: Lifetime) => Promise<ClientSession>
  readonly release: (slot: Slot<Opening>) => void
}

/** All requests are streams of a session, which other connections have streams in too. */
export class Http2Wire implements Wire {
  readonly #options: Http2WireOptions
  #slot: Slot<Opening>

  constructor(options: Http2WireOptions) {
    this.#options = options
    this.#slot = options.slot
  }

  async stream(asking: Asking, upload: boolean, _options: DialOptions): Promise<Conn> {
    const { slot, session } = this.#options
    slot.requestsLeft--
    const { conn, answer } = session.request(this.#headers(asking), {
      layer: 'xhttp',
      halfClose: 'none',
      endStream: !upload,
    })
    const what = `${asking.method} ${asking.target.split('?', 1)[0]} over HTTP/2 at ${session.info.remote || 'the server'}`
    answer.then(
      ({ status }) => {
        const error = wrongAnswer(status, what)
        if (error) conn.destroy(error)
      },
      () => {}, // whoever reads is told
    )
    return conn
  }

  async post(asking: Asking, body: readonly Uint8Array[], hear: Hear, until: Lifetime): Promise<number> {
    const session = await this.#session(until)
    const { conn, answer } = session.request(this.#headers(asking, body), {
      layer: 'xhttp',
      halfClose: 'native',
      endStream: body.length === 0,
    })
    const leave = until.onGone((why) => conn.destroy(why))
    try {
      for (const piece of body) conn.write(piece, () => hear.taken(piece))?.catch(() => {}) // shows in the answer
      if (body.length > 0) void Promise.resolve(conn.closeWrite()).then(hear.written, () => {})
      else hear.written()
      const { status } = await answer
      await conn.drainTo(() => {}).catch(() => {})
      return status
    } finally {
      leave()
      conn.destroy()
    }
  }

  /** The session for the next post: another when this one has had its share. */
  async #session(until: Lifetime): Promise<ClientSession> {
    const { slots, sessionOf, release } = this.#options
    if (!slots.fresh(this.#slot)) {
      const before = this.#slot
      this.#slot = slots.take()
      this.#slot.running++
      release(before)
    }
    this.#slot.requestsLeft--
    return sessionOf(this.#slot, until)
  }

  #headers({ method, target, headers }: Asking, body: readonly Uint8Array[] = []): OutgoingHttpHeaders {
    const { secure, host } = this.#options
    const named = Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), value]))
    const length = body.reduce((sum, piece) => sum + piece.length, 0)
    return {
      ':method': method,
      ':path': target,
      ':scheme': secure ? 'https' : 'http',
      ':authority': host,
      ...(length > 0 && { 'content-length': length }),
      'accept-encoding': 'identity',
      ...named,
    }
  }

  done(): void {
    this.#options.release(this.#slot)
  }
}
