import { describe, expect, it } from 'vitest'
import { HANDSHAKE_MS, type RecordingIo, recordingIo, settled, Tap } from '../../../test/support/inbound-io.ts'
import type { Conn, ConnInfo } from '../../core/conn.ts'
import { type Env, silentLogger } from '../../core/env.ts'
import { type ErrorCode, ProxyError } from '../../core/errors.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import type { SocksInboundSettings } from '../../settings/model.ts'
import { type FakeClock, fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { createSocksInbound } from './inbound.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const CONNECT = '05 01 00  05 01 00 01 01020304 0050'

interface Setup {
  readonly client: Tap
  readonly near: Conn
  readonly target: Tap
  readonly io: RecordingIo
  readonly clock: FakeClock
  readonly serving: Promise<void>
}

function setUp(
  options: Partial<SocksInboundSettings> & { farInfo?: Partial<ConnInfo>; dial?: () => Promise<Conn> } = {},
): Setup {
  const { farInfo, dial, ...settings } = options
  const clock = fakeClock(0)
  const env: Env = { clock, random: fakeRandom(1), log: silentLogger }
  const [end, near] = memoryPair({ info: [{}, { local: '127.0.0.1:1080', remote: '127.0.0.1:5' }] })
  const [far, targetEnd] = memoryPair({ info: [{ local: '192.0.2.7:40000', ...farInfo }, {}] })
  const io = recordingIo({ clock, dial: dial ?? (() => far) })
  const inbound = createSocksInbound({ auth: 'noauth', logins: [], udp: false, level: 3, ...settings }, env)
  return { client: new Tap(end), near, target: new Tap(targetEnd), io, clock, serving: inbound.serve(near, io) }
}

async function finish({ client, target, serving, clock, io }: Setup): Promise<void> {
  client.conn.destroy()
  target.conn.destroy()
  await serving
  expect(clock.pending).toBe(0)
  expect(io.rejected.length + io.requests.length).toBeLessThanOrEqual(1)
}

describe('SOCKS inbound', () => {
  it('carries both ways, with what came along with the request first', async () => {
    const all = setUp()
    await all.client.send(Buffer.concat([hex(CONNECT), Buffer.from('early ')]))
    await all.client.send('late')
    await all.target.send('answer')
    expect(all.target.text).toBe('early late')
    expect(all.client.text.slice(12)).toBe('answer')
    expect(all.io.requests).toEqual([
      { network: 'tcp', target: { host: '1.2.3.4', port: 80 }, user: { email: '', level: 3 } },
    ])
    await finish(all)
  })

  it('passes half-close on in both directions', async () => {
    const all = setUp()
    await all.client.send(hex(CONNECT))
    await all.client.conn.closeWrite()
    await settled()
    expect(all.target.state).toBe('ended')
    await all.target.send('still here')
    await all.target.conn.closeWrite()
    await settled()
    expect(all.client.text.slice(12)).toBe('still here')
    expect(all.client.state).toBe('ended')
    await all.serving
    expect(all.near.gone).toBeDefined()
  })

  it('tells the far connection’s address, or the listener’s where that is none', async () => {
    for (const [local, reply] of [
      ['192.0.2.7:40000', '05000001c00002079c40'],
      ['[2001:db8::7]:80', '0500000420010db80000000000000000000000070050'],
      ['', '050000017f0000010438'],
      ['unix:/run/x', '050000017f0000010438'],
    ] as const) {
      const all = setUp({ farInfo: { local } })
      await all.client.send(hex(CONNECT))
      expect(all.client.hex.slice(4)).toBe(reply)
      await finish(all)
    }
  })

  it('says nothing before the dial has ended, and waits for no byte of the target after it', async () => {
    let connected: (conn: Conn) => void = () => {}
    const dialled = new Promise<Conn>((resolve) => {
      connected = resolve
    })
    const all = setUp({ dial: () => dialled })
    await all.client.send(hex(CONNECT))
    expect(all.client.hex).toBe('0500')
    const [far, end] = memoryPair()
    connected(far)
    await settled()
    expect(all.client.hex).toHaveLength(4 + 20)
    end.destroy()
    await finish(all)
  })

  it.each([
    ['DIAL_REFUSED', '05'],
    ['DIAL_TIMEOUT', '04'],
    ['DNS_FAILED', '04'],
    ['DIAL_UNREACHABLE', '03'],
    ['OUTBOUND_BLOCKED', '02'],
    ['TLS_FAILED', '01'],
  ] as [ErrorCode, string][])('answers %s with %s and closes', async (code, reply) => {
    const all = setUp({ dial: () => Promise.reject(new ProxyError(code, '')) })
    await all.client.send(hex(CONNECT))
    expect(all.client.hex).toBe(`050005${reply}0001000000000000`)
    expect(all.client.state).toBe('ended')
    expect(all.io.rejected).toEqual([])
    await finish(all)
  })

  it('answers a failed dial of SOCKS4 with 5b', async () => {
    const all = setUp({ dial: () => Promise.reject(new ProxyError('DIAL_REFUSED', '')) })
    await all.client.send(hex('04 01 0050 01020304 00'))
    expect(all.client.hex).toBe('005b000000000000')
    await finish(all)
  })

  it('names the account as the user', async () => {
    const all = setUp({ auth: 'password', logins: [{ user: 'me', pass: 'x' }] })
    await all.client.send(hex('05 01 02  01 02 6d65 01 78  05 01 00 01 01020304 0050'))
    expect(all.io.requests[0]?.user).toEqual({ email: 'me', level: 3 })
    await finish(all)
  })

  it('lets nobody in where a password is wanted and there is no account', async () => {
    const all = setUp({ auth: 'password' })
    await all.client.send(hex('05 01 02  01 00 00'))
    expect(all.client.hex).toBe('050201ff')
    expect(all.io.rejected).toEqual([{ code: 'SOCKS_UNAUTHORIZED' }])
    await finish(all)
  })

  it('reports who was turned away, but not who said nothing', async () => {
    const silent = setUp()
    await silent.client.conn.closeWrite()
    await silent.serving
    expect(silent.io.rejected).toEqual([])

    const cutShort = setUp()
    await cutShort.client.send(hex('05 01'))
    await cutShort.client.conn.closeWrite()
    await cutShort.serving
    expect(cutShort.io.rejected).toEqual([{ code: 'TRUNCATED' }])
  })

  it('gives a slow client up after the handshake time', async () => {
    const all = setUp()
    await all.client.send(hex('05 01'))
    all.clock.advance(HANDSHAKE_MS)
    await all.serving
    expect(all.near.gone).toBeDefined()
    expect(all.io.rejected).toEqual([{ code: 'HANDSHAKE_TIMEOUT' }])
  })

  it('does not wait for ever for a client that was turned away and stays', async () => {
    const all = setUp()
    await all.client.send(hex('05 01 02'))
    expect(all.client.state).toBe('ended')
    await all.client.send('more and more')
    expect(all.near.gone).toBeUndefined()
    all.clock.advance(1_000)
    await all.serving
    expect(all.near.gone).toBeDefined()
  })

  it('ends the far side when the client is gone before the reply', async () => {
    let connected: (conn: Conn) => void = () => {}
    const all = setUp({ dial: () => new Promise((resolve) => (connected = resolve)) })
    await all.client.send(hex(CONNECT))
    all.client.conn.destroy()
    const [far, end] = memoryPair()
    connected(far)
    await all.serving
    expect(far.gone).toBeDefined()
    expect(end.gone).toBeDefined()
  })
})
