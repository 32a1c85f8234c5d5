import { describe, expect, it } from 'vitest'
import type { Conn, ConnInfo } from '../../core/conn.ts'
import type { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { proxyHeader } from '../../protocol/proxyprotocol/writer.ts'
import { connSuite } from '../../testing/conn-suite.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { proxyProtocolLayer } from './layer.ts'

const client = { host: '192.0.2.9', port: 4000 }
const server = { host: '198.51.100.1', port: 443 }

function rig(handshakeTimeoutMs = 60_000) {
  const clock = fakeClock(0)
  const failures: string[] = []
  const addresses: [ConnInfo, string][] = []
  const accepted: Conn[] = []
  const layer = proxyProtocolLayer({
    clock,
    handshakeTimeoutMs,
    onFailedHandshake: (remote: string, { code }: ProxyError) => failures.push(`${remote} ${code}`),
    onClientAddress: (info, remote) => addresses.push([info, remote]),
  })
  const passage = layer.server((conn) => accepted.push(conn))
  const arrive = (): { near: Conn; far: Conn } => {
    const [near, far] = memoryPair({ info: [{}, { remote: '203.0.113.5:99', local: '198.51.100.1:443' }] })
    passage.receive(far)
    return { near, far }
  }
  return { clock, failures, addresses, accepted, passage, arrive }
}

connSuite(
  'behind a PROXY protocol header',
  async () => {
    const { arrive, accepted } = rig()
    const { near } = arrive()
    await near.write(proxyHeader(2, client, server))
    await expect.poll(() => accepted.length).toBe(1)
    return { a: near, b: accepted[0]!, close: async () => {} }
  },
  { halfClose: true, test: { describe, it } },
)

describe('the PROXY protocol of an inbound', () => {
  it.each([1, 2] as const)('version %d says who the client is, and what comes behind it is kept', async (version) => {
    const { arrive, accepted, addresses, passage } = rig()
    const { near, far } = arrive()
    expect(passage.pending).toBe(1)
    const whole = Buffer.concat([proxyHeader(version, client, server), Buffer.from('hello')])
    for (const byte of whole) await near.write(Uint8Array.of(byte))
    await expect.poll(() => accepted.length).toBe(1)
    const [conn] = accepted
    let text = ''
    while (text.length < 5) text += Buffer.from((await conn!.read())!).toString()
    expect(text).toBe('hello')
    expect(conn!.info).toMatchObject({ remote: '192.0.2.9:4000', local: '198.51.100.1:443', carrier: far.info })
    expect(addresses).toEqual([[far.info, '192.0.2.9:4000']])
    expect(passage.pending).toBe(0)
  })

  it('keeps the address of the socket where the header names none', async () => {
    const { arrive, accepted, addresses } = rig()
    const { near } = arrive()
    await near.write(proxyHeader(2, undefined, undefined))
    await expect.poll(() => accepted.length).toBe(1)
    expect(accepted[0]!.info.remote).toBe('203.0.113.5:99')
    expect(addresses).toEqual([])
  })

  it('closes any other connection at once, and says so', async () => {
    const { arrive, accepted, failures } = rig()
    const { near, far } = arrive()
    await near.write(Buffer.from('GET / HTTP/1.1\r\n'))
    await expect.poll(() => far.gone).toBeDefined()
    expect(failures).toEqual(['203.0.113.5:99 PROXY_HEADER_INVALID'])
    expect(accepted).toEqual([])
  })

  it.each([
    [60_000, limits.proxyHeaderMs],
    [2_000, 2_000],
  ])('waits no longer than its time, with %d ms for handshakes', async (handshake, ms) => {
    const { clock, arrive, failures } = rig(handshake)
    const { near, far } = arrive()
    await near.write(Buffer.from('PROXY'))
    clock.advance(ms - 1)
    expect(far.gone).toBeUndefined()
    clock.advance(1)
    expect(far.gone).toBeDefined()
    await expect.poll(() => failures).toEqual(['203.0.113.5:99 HANDSHAKE_TIMEOUT'])
  })

  it('says nothing of who leaves without a word, and of a header that is cut off that it is', async () => {
    const { arrive, failures, clock } = rig()
    const first = arrive()
    await first.near.closeWrite()
    await expect.poll(() => first.far.gone).toBeDefined()
    expect(failures).toEqual([])
    const second = arrive()
    await second.near.write(Buffer.from('PROXY TCP4'))
    await second.near.closeWrite()
    await expect.poll(() => failures).toEqual(['203.0.113.5:99 PROXY_HEADER_INVALID'])
    expect(clock.pending).toBe(0)
  })

  it('is closed with those that are on their way', async () => {
    const { arrive, passage, accepted } = rig()
    const { far } = arrive()
    passage.close()
    expect(far.gone).toBeDefined()
    await Promise.resolve()
    expect(accepted).toEqual([])
  })
})
