import { expect, it } from 'vitest'
import { HANDSHAKE_MS, recordingIo, Tap } from '../../../test/support/inbound-io.ts'
import { type Env, silentLogger } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import type { SocksInboundSettings } from '../../settings/model.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { createMixedInbound } from './inbound.ts'

const SOCKS5 = Uint8Array.from([5, 1, 0, 5, 1, 0, 1, 1, 2, 3, 4, 0, 80])
const CONNECT = 'CONNECT 1.2.3.4:80 HTTP/1.1\r\n'

function setUp(settings: Partial<SocksInboundSettings> = {}) {
  const clock = fakeClock(0)
  const env: Env = { clock, random: fakeRandom(1), log: silentLogger }
  const [end, near] = memoryPair()
  const io = recordingIo({ clock, dial: () => Promise.reject(new ProxyError('DIAL_REFUSED', '')) })
  const inbound = createMixedInbound({ auth: 'noauth', logins: [], udp: false, level: 1, ...settings }, env)
  return { clock, client: new Tap(end), io, serving: inbound.serve(near, io) }
}

it('takes SOCKS 5, SOCKS 4 and HTTP to the same target, byte by byte too', async () => {
  for (const hello of [SOCKS5, Uint8Array.from([4, 1, 0, 80, 1, 2, 3, 4, 0]), `${CONNECT}\r\n`]) {
    for (const cut of [1, 1000]) {
      const { client, io, serving } = setUp()
      await client.send(hello, cut)
      expect(io.requests[0]).toMatchObject({ target: { host: '1.2.3.4', port: 80 }, user: { email: '', level: 1 } })
      client.conn.destroy()
      await serving
    }
  }
})

it('asks both for the password if there is one', async () => {
  const password = { auth: 'password', logins: [{ user: 'u', pass: 'p' }] } as const
  const refused = setUp(password)
  await refused.client.send(`${CONNECT}\r\n`)
  expect(refused.client.text).toContain('407 Proxy Authentication Required')
  const granted = setUp(password)
  await granted.client.send(`${CONNECT}Proxy-Authorization: Basic dTpw\r\n\r\n`)
  expect(granted.io.requests[0]?.user).toEqual({ email: 'u', level: 1 })
  const socks = setUp(password)
  await socks.client.send(SOCKS5)
  expect(socks.client.hex).toBe('05ff')
  for (const { client, serving } of [refused, granted, socks]) {
    client.conn.destroy()
    await serving
  }
})

it('lets nobody in where a password is wanted and there is no account', async () => {
  for (const hello of [SOCKS5, `${CONNECT}\r\n`, `${CONNECT}Proxy-Authorization: Basic Og==\r\n\r\n`]) {
    const { client, io, serving } = setUp({ auth: 'password' })
    await client.send(hello)
    expect(io.requests).toEqual([])
    if (hello === SOCKS5) expect(client.state).toBe('ended')
    else expect(client.text).toContain(' 407 ')
    client.conn.destroy()
    await serving
  }
})

it('ignores accounts without auth, and origin-form requests never pass', async () => {
  const { client, io, serving } = setUp({ logins: [{ user: 'u', pass: 'p' }] })
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  expect(client.text).toContain('400 Bad Request')
  expect(io.requests).toEqual([])
  client.conn.destroy()
  await serving
})

it('waits for the first byte only as long as for a handshake, and is not upset by a client without one', async () => {
  const slow = setUp()
  slow.clock.advance(HANDSHAKE_MS)
  await slow.serving
  expect(slow.client.state).toBe('broken')
  expect(slow.io.rejected).toEqual([{ code: 'HANDSHAKE_TIMEOUT' }])
  const silent = setUp()
  await silent.client.conn.closeWrite()
  await silent.serving
  expect(silent.io.rejected).toEqual([])
})
