import { describe, expect, it } from 'vitest'
import { type SocksUdpFlaw, SocksUdpReader, SocksUdpWriter } from './udp.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const name = (text: string) => Buffer.from(text).toString('hex')

const forms: [string, string, { host: string; port: number }][] = [
  ['IPv4', '000000 01 7f000001 990d', { host: '127.0.0.1', port: 39181 }],
  ['a domain', `000000 03 09 ${name('localhost')} 990d`, { host: 'localhost', port: 39181 }],
  ['IPv6', '000000 04 20010db8000000000000000000000001 0035', { host: '2001:db8::1', port: 53 }],
  ['the longest domain', `000000 03 ff ${name('a'.repeat(255))} 0001`, { host: 'a'.repeat(255), port: 1 }],
]

describe('the header of SOCKS datagrams', () => {
  it.each(forms)('is read and written with %s', (_what, header, address) => {
    const reader = new SocksUdpReader()
    const datagram = hex(`${header} 7a7a`)
    expect(reader.open(datagram)).toBe(datagram.length - 2)
    expect(reader.address).toEqual(address)
    expect(Buffer.from(new SocksUdpWriter().header(address)).toString('hex')).toBe(header.replaceAll(' ', ''))
  })

  it('takes IPv4 in the form of IPv6, and an address in the form of a domain, for what it is', () => {
    const reader = new SocksUdpReader()
    reader.open(hex('000000 04 00000000000000000000ffff 7f000001 0035 7a'))
    expect(reader.address).toEqual({ host: '127.0.0.1', port: 53 })
    reader.open(hex(`000000 03 09 ${name('127.0.0.2')} 0035 7a`))
    expect(reader.address).toEqual({ host: '127.0.0.2', port: 53 })
  })

  it('does not look at the reserved bytes', () => {
    expect(new SocksUdpReader().open(hex('beef00 01 7f000001 990d 7a'))).toBe(10)
  })

  it.each([
    ['short', ''],
    ['short', '00000001'],
    ['short', '000000 01 7f0000'],
    ['short', '000000 01 7f000001 99'],
    ['short', `000000 03 ff ${name('a')} 990d 7a`],
    ['short', '000000 04 20010db8 990d 7a'],
    ['fragment', '000001 01 7f000001 990d 7a'],
    ['fragment', '000081 01 7f000001 990d 7a'],
    ['kind', '000000 02 7f000001 990d 7a'],
    ['kind', '000000 00 7f000001 990d 7a'],
    ['domain', '000000 03 00 990d 7a'],
    ['domain', `000000 03 03 ${name('a b')} 990d 7a`],
    ['port', '000000 01 7f000001 0000 7a'],
    ['empty', '000000 01 7f000001 990d'],
  ] as [SocksUdpFlaw, string][])('refuses one that is %s: %s', (flaw, text) => {
    const reader = new SocksUdpReader()
    expect(reader.open(hex(text))).toBe(-1)
    expect(reader.flaw).toBe(flaw)
  })

  it('makes the address of the same target once, and of another anew', () => {
    const reader = new SocksUdpReader()
    reader.open(hex('000000 01 7f000001 990d 7a'))
    const first = reader.address
    const again = hex('000000 01 7f000001 990d 7b7b')
    expect(reader.open(again)).toBe(10)
    again.fill(0)
    expect(reader.address).toBe(first)
    for (const other of ['000000 01 7f000002 990d 7a', '000000 01 7f000001 990e 7a']) {
      reader.open(hex('000000 01 7f000001 990d 7a'))
      reader.open(hex(other))
      expect(reader.address).not.toEqual(first)
    }
  })

  it('does not take a refused header for one that it knows', () => {
    const reader = new SocksUdpReader()
    expect(reader.open(hex('000000 01 7f000001 0000 7a'))).toBe(-1)
    expect(reader.open(hex('000000 01 7f000001 0000 7a'))).toBe(-1)
  })

  it('writes the same header once, and leaves out a name that it cannot hold', () => {
    const writer = new SocksUdpWriter()
    const from = { host: '192.0.2.1', port: 53 }
    expect(writer.header(from)).toBe(writer.header(from))
    for (const host of ['', 'a'.repeat(256), 'höher.test', '例え.test']) {
      expect(Buffer.from(writer.header({ host, port: 53 })).toString('hex')).toBe('00000001000000000035')
    }
  })
})
