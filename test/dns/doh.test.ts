/** Name servers over HTTP/2: what they are asked, and what becomes of answers that are none. */
import { createServer, type Http2Server, type Http2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import dnsPacket from 'dns-packet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DohServer } from '../../src/app/dns/doh-server.ts'
import { Life } from '../../src/core/lifetime.ts'
import { tcpDialer } from '../../src/net/tcp.ts'

let server: Http2Server
let sessions: Http2Session[]
let until: Life
let seen: { path: string; authority: string; id: number; name: string; type: string }[]
let answer: (stream: ServerHttp2Stream, query: dnsPacket.DecodedPacket) => void

beforeEach(async () => {
  seen = []
  sessions = []
  until = new Life()
  server = createServer()
  server.on('session', (session) => void sessions.push(session))
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    const parts: Buffer[] = []
    stream.on('data', (bytes: Buffer) => void parts.push(bytes))
    stream.on('end', () => {
      const query = dnsPacket.decode(Buffer.concat(parts))
      const { name, type } = query.questions![0]!
      seen.push({ path: headers[':path']!, authority: headers[':authority']!, id: query.id!, name, type })
      answer(stream, query)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(() => {
  until.end(new Error('the test is over'))
  for (const session of sessions) session.destroy()
  server.close()
})

function doh() {
  const { port } = server.address() as AddressInfo
  return new DohServer({
    dialer: tcpDialer({ lending: false }),
    address: { host: '127.0.0.1', port },
    authority: 'dns.example',
    secure: false,
    path: '/dns-query?x',
    subnet: '',
  })
}

const answered = (stream: ServerHttp2Stream, status: number, body: string | Uint8Array): void => {
  stream.respond({ ':status': status })
  stream.end(body)
}

const good = (stream: ServerHttp2Stream, query: dnsPacket.DecodedPacket) => {
  stream.respond({ ':status': 200, 'content-type': 'application/dns-message' })
  const answers = [{ type: 'A' as const, name: 'a.test', ttl: 30, data: '192.0.2.1' }]
  stream.end(dnsPacket.encode({ type: 'response', id: 0, questions: query.questions!, answers }))
}

describe('DNS over HTTP/2', () => {
  it('asks by POST with id 0, all questions over one connection', async () => {
    answer = good
    const asked = doh()
    const [first, second] = await Promise.all([asked.ask('A.test', 'A', until), asked.ask('b.test', 'A', until)])
    expect(first).toEqual({ rcode: 0, addresses: ['192.0.2.1'], ttlS: 30 })
    expect(second!.addresses).toEqual(['192.0.2.1'])
    expect(seen).toContainEqual({ path: '/dns-query?x', authority: 'dns.example', id: 0, name: 'A.test', type: 'A' })
    expect(sessions).toHaveLength(1)
  })

  it.each([
    ['a status that is none of success', (stream: ServerHttp2Stream) => answered(stream, 502, 'x')],
    ['bytes that are no message', (stream: ServerHttp2Stream) => answered(stream, 200, 'hello')],
    ['a stream that is reset', (stream: ServerHttp2Stream) => stream.close(2)],
    [
      'an answer to another question',
      (stream: ServerHttp2Stream) => {
        answered(stream, 200, dnsPacket.encode({ type: 'response', id: 0, questions: [{ type: 'A', name: 'z.test' }] }))
      },
    ],
    [
      'an endless answer',
      (stream: ServerHttp2Stream) => {
        answered(stream, 200, Buffer.alloc(100_000))
      },
    ],
  ])('takes %s for no answer', async (_, wrong) => {
    answer = wrong
    await expect(doh().ask('a.test', 'A', until)).rejects.toMatchObject({ code: 'DNS_FAILED' })
  })

  it('opens another connection when the server has closed the first', async () => {
    answer = good
    const asked = doh()
    await asked.ask('a.test', 'A', until)
    const closed = new Promise((resolve) => sessions[0]!.once('close', resolve))
    sessions[0]!.destroy()
    await closed
    await expect
      .poll(() =>
        asked.ask('b.test', 'A', until).then(
          ({ addresses }) => addresses.length,
          () => 0,
        ),
      )
      .toBe(1)
    expect(sessions).toHaveLength(2)
  })

  it('gives up when nobody waits any longer', async () => {
    answer = () => {}
    const asking = doh().ask('a.test', 'A', until)
    await expect.poll(() => seen.length).toBe(1)
    until.end(new Error('no longer'))
    await expect(asking).rejects.toThrow('no longer')
  })
})
