import { describe, expect, it } from 'vitest'
import type { Conn } from '../../core/conn.ts'
import { silentLogger } from '../../core/env.ts'
import { forever } from '../../core/lifetime.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { connSuite } from '../../testing/conn-suite.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { createHttpOutbound } from './outbound.ts'

const env = { clock: fakeClock(0), random: fakeRandom(3), log: silentLogger }
const target = { host: 'example.com', port: 443 }
const users = [{ user: 'alice', pass: 'secret', level: 2 }]

/** A proxy that says `answer` to whatever it is asked. */
function rig(answer: string) {
  const far: Conn[] = []
  const heads: string[] = []
  const outbound = createHttpOutbound(
    'up',
    { servers: [{ address: { host: 'proxy.example', port: 8080 }, users }], headers: { 'X-Via': 'me' } },
    {
      env,
      dialer: {
        async dial() {
          const [near, other] = memoryPair()
          far.push(other)
          void other.read().then((head) => {
            heads.push(Buffer.from(head!).toString())
            return other.write(Buffer.from(answer))
          })
          return near
        },
      },
    },
  )
  return { outbound, far, heads }
}

connSuite(
  'through an HTTP proxy',
  async () => {
    const { outbound, far } = rig('HTTP/1.1 200 OK\r\n\r\n')
    return { a: await outbound.dial(target, { until: forever }), b: far[0]!, close: async () => {} }
  },
  { halfClose: true, test: { describe, it } },
)

describe('the HTTP outbound', () => {
  it('asks with login and headers, and begins with what came behind the answer', async () => {
    const { outbound, heads } = rig('HTTP/1.1 200 OK\r\n\r\nhello')
    const conn = await outbound.dial(target, { until: forever })
    expect(Buffer.from((await conn.read())!).toString()).toBe('hello')
    expect(heads[0]).toMatch(/^CONNECT example.com:443 HTTP\/1.1\r\n/)
    expect(heads[0]).toContain(`Proxy-Authorization: Basic ${Buffer.from('alice:secret').toString('base64')}\r\n`)
    expect(heads[0]).toContain('X-Via: me\r\n')
    expect(conn.info).toMatchObject({ layers: ['memory', 'http'], level: 2 })
    conn.destroy()
  })

  it('names the proxy that refuses, with its answer', async () => {
    const { outbound, far } = rig('HTTP/1.1 403 Forbidden\r\n\r\n')
    await expect(outbound.dial(target, { until: forever })).rejects.toMatchObject({
      code: 'UPSTREAM_REFUSED',
      message: 'the HTTP proxy proxy.example:8080 refused to connect to example.com:443: 403 Forbidden',
    })
    await expect(far[0]!.read()).rejects.toThrow()
  })

  it('carries no datagrams', () => {
    expect(rig('').outbound.packets).toBeUndefined()
  })
})
