import { describe, expect, it } from 'vitest'
import { type Address, formatAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { memoryPackets } from '../../net/memory/memory-packets.ts'
import type { FragmentSettings, NoiseSettings } from '../../settings/disturbing.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { FragmentedConn } from './fragmented-conn.ts'
import { NoisyPackets } from './noisy-packets.ts'

const one = (n: number) => ({ from: n, to: n })
const settled = () => new Promise<void>((done) => setImmediate(done))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

function streams(settings: FragmentSettings) {
  const clock = fakeClock(0)
  const [near, far] = memoryPair()
  const written: string[] = []
  const base = new Proxy<Conn>(near, {
    get(target, key) {
      if (key === 'write') {
        return (piece: Uint8Array) => {
          written.push(hex(piece))
          return target.write(piece)
        }
      }
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { clock, far, written, conn: new FragmentedConn(base, settings, { clock, random: fakeRandom(1) }) }
}

describe('fragment', () => {
  it('makes several records of the first one, in one write without an interval', async () => {
    const { conn, written } = streams({ packets: 'tlshello', length: one(2), intervalMs: one(0) })
    await conn.write(bytes('16030100050102030405ff'))
    await conn.write(bytes('1603010003010203'))
    expect(written).toEqual(['16030100020102160301000203041603010001' + '05ff', '1603010003010203'])
  })

  it.each(['1703010002aabb', '160301000501', '1603010000'])('leaves %s as it is', (first) => {
    const { conn, written } = streams({ packets: 'tlshello', length: one(1), intervalMs: one(5) })
    void conn.write(bytes(first))
    expect(written).toEqual([first])
  })

  it('waits between pieces, and what comes behind them waits too', async () => {
    const { conn, written, clock, far } = streams({
      packets: { from: 1, to: 1 },
      length: one(2),
      intervalMs: one(10),
      maxSplit: one(2),
    })
    let released = 0
    const first = conn.write(bytes('0102030405'), () => released++)
    const second = conn.write(bytes('0607'))
    const closed = conn.closeWrite()
    expect(released).toBe(1)
    await settled()
    expect(written).toEqual(['0102'])
    clock.advance(9)
    await settled()
    expect(written).toEqual(['0102'])
    clock.advance(1)
    await Promise.all([first, second, closed])
    expect(written).toEqual(['0102', '030405', '0607'])
    const got: string[] = []
    await far.drainTo((lent) => void got.push(hex(lent)))
    expect(got.join('')).toBe('01020304050607')
  })

  it('ends its pieces with the connection', async () => {
    const { conn, written } = streams({ packets: 'all', length: one(1), intervalMs: one(10) })
    const writing = conn.write(bytes('0102')) as Promise<void>
    await settled()
    conn.destroy(new Error('gone'))
    await expect(writing).rejects.toThrow('gone')
    expect(written).toHaveLength(2)
    await conn.closeWrite()
  })
})

function packets(...noises: NoiseSettings[]) {
  const clock = fakeClock(0)
  const [base, world] = memoryPackets()
  const sent: string[] = []
  world.drainTo((lent, to) => void sent.push(`${hex(lent)} ${formatAddress(to)}`)).catch(() => {})
  return { clock, sent, conn: new NoisyPackets(base, noises, { clock, random: fakeRandom(1) }) }
}

const at = (host: string, port = 443): Address => ({ host, port })
const noise = (packet: NoiseSettings['packet'], delay = 0, family: 0 | 4 | 6 = 0): NoiseSettings => ({
  packet,
  delayMs: one(delay),
  family,
})

describe('noises', () => {
  it('go to the first target once, and its family counts', async () => {
    const { conn, sent } = packets(noise(bytes('aa'), 0, 4), noise(bytes('bb'), 0, 6), noise(one(3)))
    conn.send(bytes('01'), at('192.0.2.1'))
    conn.send(bytes('02'), at('192.0.2.2'))
    await settled()
    expect(sent).toEqual([
      'aa 192.0.2.1:443',
      expect.stringMatching(/^[\da-f]{6} 192\.0\.2\.1:443$/),
      '01 192.0.2.1:443',
      '02 192.0.2.2:443',
    ])
  })

  it('hold datagrams back for their delays', async () => {
    const { conn, sent, clock } = packets(noise(bytes('aa'), 10), noise(bytes('bb'), 10))
    conn.send(bytes('01'), at('192.0.2.1'))
    conn.send(bytes('02'), at('192.0.2.2'))
    await settled()
    expect(sent).toEqual(['aa 192.0.2.1:443'])
    clock.advance(10)
    clock.advance(10)
    await settled()
    expect(sent.slice(1)).toEqual(['bb 192.0.2.1:443', '01 192.0.2.1:443', '02 192.0.2.2:443'])
  })

  it('spare name servers, and count what waits when all is over', async () => {
    const quiet = packets(noise(bytes('aa')))
    quiet.conn.send(bytes('01'), at('192.0.2.1', 53))
    await settled()
    expect(quiet.sent).toEqual(['01 192.0.2.1:53'])
    const { conn, sent } = packets(noise(bytes('aa'), 10))
    conn.send(bytes('01'), at('192.0.2.1'))
    conn.destroy()
    expect(conn.dropped).toBe(1)
    expect(sent).not.toContain('01 192.0.2.1:443')
  })
})
