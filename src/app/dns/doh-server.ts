import { type ClientHttp2Session, connect } from 'node:http2'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { Address } from '../../core/address.ts'
import type { Dialer } from '../../core/dialer.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import type { NameAnswer, RecordType } from '../../core/name-service.ts'
import { answerIn } from '../../dns/client/asked-server.ts'
import type { NameSource } from '../../dns/client/source.ts'
import { unlessGone } from '../../dns/unless-gone.ts'
import { decodeReply, encodeQuery } from '../../dns/wire.ts'
import { toDuplex } from '../../net/streams/duplex.ts'

export interface DohServerOptions {
  readonly dialer: Dialer
  readonly address: Address
  /** As URLs have it: without the usual port. */
  readonly authority: string
  /** With TLS. */
  readonly secure: boolean
  readonly path: string
  readonly subnet: string
}

/** The largest answer that is read, bytes. */
const answerMax = 65_535

/** A server asked over HTTP/2 (RFC 8484): one connection for all questions, opened with the first, closed when idle. */
export class DohServer implements NameSource {
  readonly #options: DohServerOptions
  #session: Promise<ClientHttp2Session> | undefined

  constructor(options: DohServerOptions) {
    this.#options = options
  }

  async ask(name: string, type: RecordType, until: Lifetime): Promise<NameAnswer> {
    const { subnet } = this.#options
    const question = { name: name.toLowerCase(), type }
    // The id is 0 so that caches on the way see equal questions (RFC 8484, 4.1).
    const query = encodeQuery({ id: 0, question, written: name, edns: false, ...(subnet && { subnet }) })
    const session = await unlessGone(this.#open(until), until)
    const reply = decodeReply(await unlessGone(this.#exchange(session, query, until), until))
    if (!reply?.question || reply.question.name !== question.name || reply.question.type !== type) {
      throw new ProxyError('DNS_FAILED', 'the reply is not one to the question')
    }
    return answerIn(reply, type)
  }

  #open(until: Lifetime): Promise<ClientHttp2Session> {
    if (this.#session) return this.#session
    // Another may have been opened since.
    const forget = (): void => {
      if (this.#session === opened) this.#session = undefined
    }
    const opened = this.#connect(until, forget).catch((error: unknown) => {
      forget()
      throw error
    })
    this.#session = opened
    return opened
  }

  async #connect(until: Lifetime, forget: () => void): Promise<ClientHttp2Session> {
    const { dialer, address, authority, secure } = this.#options
    const conn = await dialer.dial(address, { until })
    const carrier = secure ? await encrypted(toDuplex(conn), address.host, authority, until) : toDuplex(conn)
    const session = connect(`${secure ? 'https' : 'http'}://${authority}`, { createConnection: () => carrier })
    const over = (): void => {
      forget()
      session.destroy()
    }
    session.on('error', over).on('goaway', over).on('close', over)
    session.setTimeout(limits.dohIdleMs, over)
    return session
  }

  #exchange(session: ClientHttp2Session, query: Uint8Array, until: Lifetime): Promise<Uint8Array> {
    const { path, authority } = this.#options
    return new Promise((resolve, reject) => {
      const stream = session.request({
        ':method': 'POST',
        ':authority': authority,
        ':path': path,
        'content-type': 'application/dns-message',
        accept: 'application/dns-message',
        'content-length': query.length,
      })
      const leave = until.onGone(() => stream.close())
      const parts: Buffer[] = []
      let length = 0
      let status = 0
      const failed = (why: string, cause?: unknown): void => {
        leave()
        reject(new ProxyError('DNS_FAILED', why, { cause }))
      }
      stream.on('response', (headers) => {
        status = headers[':status'] ?? 0
      })
      stream.on('data', (bytes: Buffer) => {
        length += bytes.length
        if (length > answerMax) stream.close()
        else parts.push(bytes)
      })
      stream.on('error', (error) => failed('the connection to the name server broke', error))
      stream.on('close', () => {
        leave()
        if (status === 200 && length <= answerMax) resolve(Buffer.concat(parts))
        else failed(`the name server answers with status ${status}`)
      })
      stream.end(query)
    })
  }
}

/** Once the handshake is done. The certificate must be good for the name or address. */
function encrypted(socket: Duplex, host: string, authority: string, until: Lifetime): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const tls = connectTls({ socket, host, ALPNProtocols: ['h2'], ...(isIP(host) === 0 && { servername: host }) })
    const failed = (why: Error): void => {
      leave()
      reject(why)
      tls.destroy()
    }
    const leave = until.onGone(failed)
    const refused = (why: string, cause?: unknown): void =>
      failed(new ProxyError('DNS_FAILED', `name server ${authority}: TLS handshake failed: ${why}`, { cause }))
    tls.on('error', (error) => refused(error.message, error))
    tls.once('secureConnect', () => {
      if (tls.alpnProtocol !== 'h2') return refused('it speaks no HTTP/2')
      leave()
      resolve(tls)
    })
  })
}
