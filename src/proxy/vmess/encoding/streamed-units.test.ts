import { describe, expect, it } from 'vitest'
import { reading } from '../../../../test/support/udp.ts'
import { memoryPair } from '../../../net/memory/memory.ts'
import { streamTarget } from '../../../protocol/packetaddr/unit.ts'
import { packetSuite } from '../../../testing/packet-suite.ts'
import { StreamedUnits } from './streamed-units.ts'

const addresses = [
  { host: '192.0.2.1', port: 5 },
  { host: '2001:db8::1', port: 7 },
]
const ways = addresses.map((to) => ({ to, from: to }))

packetSuite(
  'packetaddr on a stream',
  async () => {
    const [a, b] = memoryPair()
    return { a: new StreamedUnits(a), b: new StreamedUnits(b), aToB: ways, bToA: ways, close: async () => {} }
  },
  { closeWrite: true, test: { describe, it } },
)

describe('packetaddr on a stream', () => {
  it('is a length, an address and the datagram', async () => {
    const [a, b] = memoryPair()
    const units = new StreamedUnits(a)
    expect(units.send(Buffer.from('hello'), { host: '1.2.3.4', port: 1234 })).toBe(true)
    expect(Buffer.from((await b.read())!).toString('hex')).toBe('000c010102030404d268656c6c6f')
    const next = reading(units)
    await b.write(Buffer.from('000c0101020304', 'hex'))
    await b.write(Buffer.from('04d268656c6c6f', 'hex'))
    expect(await next()).toEqual({ bytes: new Uint8Array(Buffer.from('hello')), from: '1.2.3.4:1234' })
  })

  it('carries no names, and nothing that V2Ray has no room for', () => {
    const units = new StreamedUnits(memoryPair()[0])
    expect(units.send(Buffer.from('x'), streamTarget)).toBe(false)
    expect(units.send(Buffer.alloc(2_030), addresses[0]!)).toBe(false)
    expect(units.send(Buffer.alloc(2_029), addresses[1]!)).toBe(true)
    expect(units.dropped).toBe(2)
  })

  it('ends where a unit makes no sense', async () => {
    const [a, b] = memoryPair()
    const units = new StreamedUnits(a)
    const drained = units.drainTo(() => {})
    await b.write(Uint8Array.of(0, 0))
    await expect(drained).rejects.toMatchObject({ code: 'PACKETADDR_MALFORMED' })
    expect(units.gone).toMatchObject({ code: 'PACKETADDR_MALFORMED' })
  })
})
