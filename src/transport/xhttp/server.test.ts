import { describe, expect, it } from 'vitest'
import { readUntil, settled, strangerAnswer, xhttpConfig, xhttpRig } from '../../../test/support/xhttp-rig.ts'
import { type Conn, type ConnInfo, rootInfo } from '../../core/conn.ts'
import { limits } from '../../core/limits.ts'
import type { Website } from '../../core/website.ts'
import { memoryPair } from '../../net/memory/memory.ts'

const id = '1cd4d502-ba96-4f5c-a296-2ec99013f912'
const padding = `Referer: http://a/x/?x_padding=${'X'.repeat(100)}\r\n`
const request = (line: string, more = padding, body = ''): string =>
  `${line} HTTP/1.1\r\nHost: a\r\n${more}${body === '' ? '' : `Content-Length: ${body.length}\r\n`}\r\n${body}`
const post = (seq: number | string, body: string): string => request(`POST /x/${id}/${seq}`, padding, body)

type Rig = ReturnType<typeof xhttpRig>

/** A bare client on a carrier of its own. */
function client(rig: Rig): { say(text: string): Promise<void>; hear(pattern: RegExp): Promise<string>; conn: Conn } {
  const [near, far] = memoryPair()
  rig.passage.receive(far)
  return {
    conn: near,
    say: async (text) => void (await near.write(Buffer.from(text, 'latin1'))),
    hear: (pattern) => readUntil(near, pattern),
  }
}

async function statusOf(rig: Rig, text: string): Promise<number> {
  const one = client(rig)
  await one.say(text)
  return Number(/^HTTP\/1\.1 (\d+)/.exec(await one.hear(/\r\n\r\n/))?.[1])
}

const down = async (rig: Rig): Promise<Conn> => {
  await statusOf(rig, request(`GET /x/${id}`))
  return rig.served.at(-1)!
}

const textOf = async (conn: Conn): Promise<string> => Buffer.from((await conn.read()) ?? []).toString('latin1')

describe('posts', () => {
  it('are read in the order of their numbers, however they come, and once', async () => {
    const rig = xhttpRig()
    const conn = await down(rig)
    const one = client(rig)
    for (const [seq, body] of [
      [0, 'a'],
      [2, 'c'],
      [2, 'C'],
      [1, 'b'],
      [0, 'A'],
    ] as const) {
      await one.say(post(seq, body))
      expect(await one.hear(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 200 OK\r\n(.*\r\n)*X-Padding: X+\r\n/)
    }
    expect([await textOf(conn), await textOf(conn), await textOf(conn)]).toEqual(['a', 'b', 'c'])
    await one.say(post(3, 'd'))
    expect(await textOf(conn)).toBe('d')
  })

  it('come before the stream downwards, or after it', async () => {
    const rig = xhttpRig()
    expect(await statusOf(rig, post(0, 'early'))).toBe(200)
    expect(rig.served).toHaveLength(0)
    expect(await textOf(await down(rig))).toBe('early')
  })

  it('wait unread when as many are held as may be, and go on when one is read', async () => {
    const rig = xhttpRig()
    const conn = await down(rig)
    for (let seq = 1; seq <= 30; seq++) expect(await statusOf(rig, post(seq, `${seq},`))).toBe(200)
    const late = client(rig)
    await late.say(post(31, '31'))
    const heard = late.hear(/\r\n\r\n/)
    expect(await settled(heard)).toBe(false)
    expect(await statusOf(rig, post(0, '0,'))).toBe(200)
    let text = ''
    while (!text.endsWith('31')) text += await textOf(conn)
    expect(text).toBe(Array.from({ length: 32 }, (_, i) => i).join())
    expect(await heard).toMatch(/ 200 OK/)
  })

  it('with a body that is too large are refused with 413, announced or not', async () => {
    const rig = xhttpRig(xhttpConfig({}, { postBytes: { from: 10, to: 10 } }))
    await down(rig)
    expect(await statusOf(rig, post(0, 'x'.repeat(11)))).toBe(413)
    const chunked = `${request(`POST /x/${id}/0`, `${padding}Transfer-Encoding: chunked\r\n`)}b\r\n${'x'.repeat(11)}\r\n0\r\n\r\n`
    expect(await statusOf(rig, chunked)).toBe(413)
    expect(await statusOf(rig, post(0, 'x'.repeat(10)))).toBe(200)
    expect(rig.failures.map(({ message }) => message)).toEqual([
      expect.stringContaining('scMaxEachPostBytes here, which is 10'),
      expect.stringContaining('scMaxEachPostBytes here, which is 10'),
    ])
  })

  it('without a number are refused with 500, and so are those of a session with a stream upwards', async () => {
    const rig = xhttpRig()
    await down(rig)
    expect(await statusOf(rig, post('-1', 'x'))).toBe(500)
    expect(await statusOf(rig, post('1e3', 'x'))).toBe(500)
    const up = client(rig)
    await up.say(request(`POST /x/${id}`, `${padding}Transfer-Encoding: chunked\r\n`))
    expect(await up.hear(/X\r\n/)).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(await statusOf(rig, post(0, 'x'))).toBe(500)
    expect(await statusOf(rig, request(`POST /x/${id}`, `${padding}Transfer-Encoding: chunked\r\n`))).toBe(409)
  })

  it('are answered though the client reads no answers', async () => {
    const rig = xhttpRig()
    const conn = await down(rig)
    const mute = client(rig)
    let text = ''
    const add = (lent: Uint8Array): void => {
      text += Buffer.from(lent).toString()
    }
    conn.drainTo(add).catch(() => {})
    for (let seq = 0; seq < 600; seq++) await mute.say(post(seq, '.'))
    while (text.length < 600) await new Promise((resolve) => setImmediate(resolve))
    expect(text).toBe('.'.repeat(600))
  })

  it('may have their bytes in headers and cookies', async () => {
    const rig = xhttpRig()
    const conn = await down(rig)
    const data = Buffer.from('header+cookie').toString('base64url')
    const more = `${padding}X-Data-0: ${data.slice(0, 5)}\r\nX-Data-1: ${data.slice(5)}\r\n`
    expect(await statusOf(rig, request(`POST /x/${id}/0`, more, '+body'))).toBe(200)
    expect(await textOf(conn)).toBe('header+cookie+body')
    expect(await statusOf(rig, request(`POST /x/${id}/1`, `${padding}X-Data-0: ä\r\n`))).toBe(400)
  })
})

describe('a session', () => {
  it('has one stream downwards: a second request for it is refused, and takes nothing', async () => {
    const rig = xhttpRig()
    const conn = await down(rig)
    expect(await statusOf(rig, request(`GET /x/${id}`))).toBe(409)
    expect(rig.served).toHaveLength(1)
    await statusOf(rig, post(0, 'mine'))
    expect(await textOf(conn)).toBe('mine')
  })

  it('whose stream downwards does not come is dropped, and one that comes late is turned away', async () => {
    const rig = xhttpRig()
    await statusOf(rig, post(0, 'early'))
    rig.clock.advance(limits.xhttpOrphanMs)
    expect(await statusOf(rig, request(`GET /x/${id}`))).toBe(404)
    expect(rig.served).toHaveLength(0)
    rig.clock.advance(limits.xhttpOrphanMs)
    expect(await statusOf(rig, request(`GET /x/${id}`))).toBe(200)
  })

  it('ends with its stream downwards, and posts for it are refused then', async () => {
    const rig = xhttpRig()
    const one = client(rig)
    await one.say(request(`GET /x/${id}`))
    await one.hear(/\r\n\r\n/)
    const [conn] = rig.served
    const gone = new Promise((resolve) => conn!.onGone(resolve))
    one.conn.destroy()
    await gone
    expect(await statusOf(rig, post(0, 'late'))).toBe(404)
    expect(rig.clock.pending).toBeLessThan(3)
  })

  it('of a flood of strangers takes the place of the oldest that nobody has asked for, never of one in use', async () => {
    const rig = xhttpRig()
    const conn = await down(rig)
    const one = client(rig)
    const orphan = (i: number): string => request(`POST /x/orphan-${i}/0`, padding, 'x')
    for (let i = 0; i <= limits.xhttpOrphans; i++) {
      await one.say(orphan(i))
      await one.hear(/\r\n\r\n/)
    }
    expect(await statusOf(rig, request('GET /x/orphan-0'))).toBe(404)
    expect(await statusOf(rig, request('GET /x/orphan-1'))).toBe(200)
    await statusOf(rig, post(0, 'mine'))
    expect(await textOf(conn)).toBe('mine')
  })
})

describe('a stranger', () => {
  it.each([
    ['another path', request(`GET /y/${id}`)],
    ['the path without its slash', request('GET /x')],
    ['the path alone', request('GET /x/')],
    ['no padding', request(`GET /x/${id}`, '')],
    ['too little padding', request(`GET /x/${id}`, 'Referer: http://a/?x_padding=XX\r\n')],
    ['a Referer without padding', request(`GET /x/${id}`, 'Referer: http://a/\r\n')],
    ['HEAD', request(`HEAD /x/${id}`, '')],
    ['POST', request(`POST /x/${id}/0`, '', 'abc')],
  ])('with %s meets a web server without pages, as everywhere', async (_, text) => {
    const rig = xhttpRig()
    const elsewhere = text.replace('/x', '/elsewhere')
    const answer = await strangerAnswer(rig, text)
    expect(answer).toContain('HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\n')
    expect(answer).toBe(await strangerAnswer(rig, elsewhere))
    expect(rig.failures[0]).toMatchObject({ code: 'UPGRADE_REJECTED', message: expect.stringContaining('(Host: "a")') })
    expect(rig.served).toHaveLength(0)
  })

  it('with another host is one too, and a port in it does not count', async () => {
    const rig = xhttpRig(xhttpConfig({}, { servedHost: 'a' }))
    expect(await strangerAnswer(rig, request(`GET /x/${id}`).replace('Host: a', 'Host: b'))).toContain(' 404 ')
    expect(await statusOf(rig, request(`GET /x/${id}`).replace('Host: a', 'Host: A:8080'))).toBe(200)
  })
})

describe('a client that is set up otherwise', () => {
  it.each([
    ['packet-up', 'POST /x/', 400],
    ['packet-up', `POST /x/${id}`, 400],
    ['stream-up', `POST /x/${id}/0`, 400],
    ['stream-one', `POST /x/${id}`, 400],
    ['stream-one', `POST /x/${id}/0`, 400],
    ['stream-up', 'POST /x/', 200],
  ] as const)('of mode %s is told of %s: %d', async (mode, line, status) => {
    const rig = xhttpRig(xhttpConfig({ mode }))
    expect(await statusOf(rig, request(line))).toBe(status)
    if (status === 400) expect(rig.failures[0]!.message).toContain(`the mode here is ${mode}`)
  })

  it('may have its padding in the query, as before 2025, and be a browser that asks first', async () => {
    const rig = xhttpRig()
    expect(await statusOf(rig, request(`GET /x/${id}?x_padding=${'X'.repeat(100)}`, ''))).toBe(200)
    const preflight = 'Origin: https://b\r\nAccess-Control-Request-Method: POST\r\n'
    const one = client(rig)
    await one.say(request(`OPTIONS /x/${id}/0`, preflight))
    expect(await one.hear(/\r\n\r\n/)).toMatch(
      /^HTTP\/1\.1 200 OK\r\nAccess-Control-Allow-Origin: https:\/\/b\r\n(.*\r\n)*Access-Control-Allow-Methods: POST\r\n/,
    )
  })
})

describe('who is behind a proxy', () => {
  const trust = { networks: [], unix: false, headers: ['X-Proxied'] }
  const behind = (line: string, client: string) =>
    request(line, `${padding}X-Proxied: 1\r\nX-Forwarded-For: 9.9.9.9, ${client}\r\n`)

  it('is known by what the proxy says, and told to whatever counts', async () => {
    const told: string[] = []
    const rig = xhttpRig(xhttpConfig(), { deps: { trust, onClientAddress: (_, client) => told.push(client) } })
    expect(await statusOf(rig, behind(`GET /x/${id}`, '1.2.3.4'))).toBe(200)
    expect(rig.served[0]!.info.remote).toBe('1.2.3.4:0')
    expect(told).toEqual(['1.2.3.4:0'])
    const deaf = xhttpRig(xhttpConfig({}, { forwarded: false }), { deps: { trust } })
    expect(await statusOf(deaf, behind(`GET /x/${id}`, '1.2.3.4'))).toBe(200)
    expect(deaf.served[0]!.info.remote).not.toBe('1.2.3.4:0')
  })

  it('is admitted on all connections of its session, before and after', async () => {
    const admitted: ConnInfo[] = []
    const rig = xhttpRig(xhttpConfig(), { deps: { onAdmitted: (info) => admitted.push(info) } })
    await statusOf(rig, post(0, 'early'))
    const conn = await down(rig)
    await statusOf(rig, request('POST /x/another/0', padding, 'x'))
    expect(admitted).toEqual([])
    rootInfo(conn.info).admitted?.()
    expect(new Set(admitted).size).toBe(2)
    await statusOf(rig, post(1, 'late'))
    expect(new Set(admitted).size).toBe(3)
  })
})

describe('another server that answers strangers', () => {
  const elsewhere = {
    configured: true,
    answer: async () => ({ status: 200, headers: [['Content-Length', '4']] as const, body: Buffer.from('page') }),
  }

  it('gets their connections whole', async () => {
    let heard = ''
    const takeOver = async (carrier: Conn): Promise<void> => {
      heard = Buffer.from((await carrier.read()) ?? []).toString('latin1')
      carrier.destroy()
    }
    const rig = xhttpRig(xhttpConfig(), { deps: { website: { ...elsewhere, takeOver } } })
    const text = request('POST /site', 'Odd.Name: 1\r\n', 'body')
    await strangerAnswer(rig, text)
    expect(heard).toBe(text)
    expect(rig.failures).toEqual([])
    await strangerAnswer(rig, 'nonsense\r\n\r\n')
    expect(heard).toBe('nonsense\r\n\r\n')
  })

  it('is asked request by request where a proxy shares a connection among clients', async () => {
    let body: string | undefined
    const website: Website = {
      ...elsewhere,
      answer: async (asked) => {
        body = Buffer.from((await asked.body?.read()) ?? []).toString()
        return elsewhere.answer()
      },
      takeOver: async () => {
        throw new Error('taken over')
      },
    }
    const trust = { networks: [], unix: false, headers: ['X-Proxied'] }
    const rig = xhttpRig(xhttpConfig(), { deps: { website, trust } })
    const text = request('POST /site', 'X-Proxied: 1\r\nX-Forwarded-For: 1.2.3.4\r\n', 'body')
    expect(await strangerAnswer(rig, text)).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*Connection: close\r\n\r\npage$/)
    expect(body).toBe('body')
  })
})
