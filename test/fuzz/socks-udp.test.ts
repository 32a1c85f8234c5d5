import { expect, it } from 'vitest'
import { SocksUdpReader, SocksUdpWriter } from '../../src/protocol/socks/udp.ts'
import { fakeRandom } from '../../src/testing/fakes.ts'

const seeds = [
  '000000017f000001990d7a7a',
  `000000030b${Buffer.from('example.com').toString('hex')}01bb7a`,
  '0000000420010db80000000000000000000000010035aabbcc',
].map((text) => Uint8Array.from(Buffer.from(text, 'hex')))

it('reads 100,000 mutated datagrams without throwing, and what it reads it writes the same', () => {
  const random = fakeRandom(20)
  const reader = new SocksUdpReader()
  const writer = new SocksUdpWriter()
  const fresh = () => new SocksUdpReader()
  let read = 0
  for (let i = 0; i < 100_000; i++) {
    const seed = seeds[random.below(seeds.length)]!
    const bytes = new Uint8Array(seed.length + random.below(4))
    bytes.set(seed)
    for (let n = random.below(4); n > 0; n--) bytes[random.below(bytes.length)] = random.below(256)
    const datagram = bytes.subarray(0, random.below(8) === 0 ? random.below(bytes.length + 1) : bytes.length)
    const at = reader.open(datagram)
    const alone = fresh()
    if (at !== alone.open(datagram))
      throw new Error(`differs by what came before: ${Buffer.from(datagram).toString('hex')}`)
    if (at < 0) continue
    read++
    if (at >= datagram.length) throw new Error('no data')
    const again = new SocksUdpReader()
    const header = writer.header(reader.address)
    const copy = Buffer.concat([header, datagram.subarray(at)])
    if (again.open(copy) !== header.length) throw new Error(`not read again: ${copy.toString('hex')}`)
    expect(again.address.host === reader.address.host && again.address.port === reader.address.port).toBe(true)
  }
  expect(read).toBeGreaterThan(20_000)
})
