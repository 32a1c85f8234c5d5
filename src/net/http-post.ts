import { request } from 'node:http'
import type { Dialer } from '../core/dialer.ts'
import type { Clock } from '../core/env.ts'
import { ProxyError } from '../core/errors.ts'
import { Life } from '../core/lifetime.ts'
import { limits } from '../core/limits.ts'
import { toSocket } from './streams/duplex-socket.ts'

/** Sends `body` to an http: URL and resolves with the body of its 200; rejects otherwise, and when it takes too long. */
export type Post = (url: string, body: Uint8Array, type: string) => Promise<Uint8Array>

/** One request and one connection of `dialer` for each, within `limits.ocspMs`. */
export const httpPost =
  (dialer: Dialer, clock: Clock): Post =>
  async (url, body, type) => {
    const { hostname, port, pathname, search, host } = new URL(url)
    const life = new Life()
    const late = new ProxyError('DIAL_TIMEOUT', `no answer from ${host} within ${limits.ocspMs / 1000} s`)
    const cancel = clock.after(limits.ocspMs, () => life.end(late))
    try {
      const to = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || 80) }
      const conn = await dialer.dial(to, { until: life })
      life.onGone((why) => conn.destroy(why))
      const headers = { Host: host, 'Content-Type': type, 'Content-Length': body.length, Connection: 'close' }
      const options = {
        method: 'POST',
        path: pathname + search,
        headers,
        createConnection: () => toSocket(conn, clock),
      }
      return await answerTo(options, body).finally(() => conn.destroy())
    } finally {
      cancel()
    }
  }

function answerTo(options: object, body: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const asking = request(options, (answer) => {
      const pieces: Buffer[] = []
      let length = 0
      answer.on('error', reject)
      answer.on('data', (piece: Buffer) => {
        length += piece.length
        if (length > limits.ocspAnswerMax) asking.destroy(new Error('the answer is too long'))
        else pieces.push(piece)
      })
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(new Uint8Array(Buffer.concat(pieces)))
        else reject(new Error(`the server answered with the status ${answer.statusCode}`))
      })
    })
    asking.on('error', reject)
    asking.end(body)
  })
}
