import { describe, expect, it } from 'vitest'
import { SocksHandshake, type SocksStep } from './handshake.ts'
import { Logins } from './logins.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const ascii = (text: string) => Buffer.from(text).toString('hex')
const logins = new Logins([
  { user: 'u', pass: 'p' },
  { user: '', pass: '' },
  { user: 'müller', pass: 'ß' },
])

interface Seen {
  sent: string
  request?: object
  rest?: string
  refused?: string
}

/** Feeds `input` in pieces that end at `cuts` and sums up what comes out. */
function feed(input: Uint8Array, who: Logins | undefined, cuts: readonly number[]): Seen {
  const handshake = new SocksHandshake(who)
  let sent = ''
  let last: SocksStep | undefined
  let at = 0
  for (const cut of [...cuts, input.length]) {
    const piece = input.slice(at, cut)
    at = cut
    last = handshake.push(piece)
    piece.fill(0xdb)
    sent += Buffer.from(last.send).toString('hex')
    if (last.request || last.refused) break
  }
  const seen: Seen = { sent }
  if (last?.request) seen.request = last.request
  // With cuts, what was not fed yet follows the rest that the decoder gives back.
  if (last?.rest) seen.rest = Buffer.concat([last.rest, input.subarray(at)]).toString('hex')
  if (last?.refused) seen.refused = last.refused.code
  return seen
}

/** The same whole, cut at every place and byte by byte. */
function everySplit(text: string, who?: Logins): Seen {
  const input = hex(text)
  const whole = feed(input, who, [])
  for (let cut = 1; cut < input.length; cut++) expect(feed(input, who, [cut]), `cut at ${cut}`).toEqual(whole)
  expect(feed(input, who, [...input.keys()].slice(1)), 'byte by byte').toEqual(whole)
  return whole
}

describe('SOCKS5', () => {
  it('reads IPv4, IPv6 and domain targets and keeps what follows', () => {
    expect(everySplit('05 01 00  05 01 00 01 7f000001 990c  aabb')).toEqual({
      sent: '0500',
      request: { command: 'connect', version: 5, host: '127.0.0.1', port: 39180 },
      rest: 'aabb',
    })
    expect(everySplit('05 02 02 00  05 01 00 04 20010db8000000000000000000000001 01bb').request).toEqual({
      command: 'connect',
      version: 5,
      host: '2001:db8::1',
      port: 443,
    })
    expect(everySplit(`05 01 00  05 01 00 03 0b ${ascii('example.com')} 0050`)).toEqual({
      sent: '0500',
      request: { command: 'connect', version: 5, host: 'example.com', port: 80 },
      rest: '',
    })
  })

  it('turns an IP literal in the place of a domain, and a v4-mapped address, into an address', () => {
    expect(everySplit(`05 01 00  05 01 00 03 07 ${ascii('1.2.3.4')} 0050`).request).toMatchObject({ host: '1.2.3.4' })
    expect(everySplit(`05 01 00  05 01 00 03 05 ${ascii('[::1]')} 0050`).request).toMatchObject({ host: '::1' })
    const mapped = '05 01 00  05 01 00 04 00000000000000000000ffff01020304 0050'
    expect(everySplit(mapped).request).toMatchObject({ host: '1.2.3.4' })
  })

  it('does not look at the reserved byte, and takes Tor’s commands for CONNECT', () => {
    expect(everySplit('05 01 00  05 01 7f 01 01020304 0050').request).toMatchObject({ host: '1.2.3.4' })
    expect(everySplit('05 01 00  05 f0 00 01 01020304 0050').request).toMatchObject({ host: '1.2.3.4' })
    expect(everySplit('05 01 00  05 f1 00 01 01020304 0050').request).toMatchObject({ host: '1.2.3.4' })
  })

  it('asks for a password where there are logins', () => {
    expect(everySplit('05 02 00 02  01 01 75 01 70  05 01 00 01 01020304 0050', logins)).toEqual({
      sent: '05020100',
      request: { command: 'connect', version: 5, host: '1.2.3.4', port: 80, login: { user: 'u', pass: 'p' } },
      rest: '',
    })
    expect(everySplit('05 01 02  01 00 00  05 01 00 01 01020304 0050', logins).request).toMatchObject({
      login: { user: '', pass: '' },
    })
    const utf8 = `05 01 02  01 07 ${ascii('müller')} 02 ${ascii('ß')}  05 01 00 01 01020304 0050`
    expect(everySplit(utf8, logins).request).toMatchObject({ login: { user: 'müller', pass: 'ß' } })
  })

  it.each([
    ['user of another password', '01 01 75 01 71'],
    ['password of another user', '01 01 76 01 70'],
    ['password of another login', '01 01 75 00'],
    ['a longer password', '01 01 75 02 7070'],
  ])('refuses the %s with 01ff', (_, auth) => {
    expect(everySplit(`05 01 02 ${auth} 05 01 00 01 01020304 0050`, logins)).toEqual({
      sent: '050201ff',
      refused: 'SOCKS_UNAUTHORIZED',
    })
  })

  it('refuses a client that offers nothing acceptable with 05ff', () => {
    expect(everySplit('05 01 02')).toEqual({ sent: '05ff', refused: 'SOCKS_UNAUTHORIZED' })
    expect(everySplit('05 01 00', logins)).toEqual({ sent: '05ff', refused: 'SOCKS_UNAUTHORIZED' })
    expect(everySplit('05 00')).toEqual({ sent: '05ff', refused: 'SOCKS_UNAUTHORIZED' })
  })

  it.each(['02', '03', '09', '00'])('refuses command %s with 0507 before the address', (command) => {
    expect(everySplit(`05 01 00  05 ${command} 00`)).toEqual({
      sent: '050005070001000000000000',
      refused: 'SOCKS_COMMAND_UNSUPPORTED',
    })
  })

  it.each([
    ['an unknown address type', '05 01 00 05'],
    ['an empty domain', '05 01 00 03 00 0050'],
    ['a domain with a space', `05 01 00 03 03 ${ascii('a b')} 0050`],
    ['a domain in UTF-8', `05 01 00 03 03 ${ascii('ä.')} 0050`],
    ['another version', '04 01 00 01 01020304 0050'],
  ])('refuses %s in silence', (_, request) => {
    expect(everySplit(`05 01 00 ${request}`)).toEqual({ sent: '0500', refused: 'SOCKS_BAD_REQUEST' })
  })

  it('takes a domain of 255 bytes with an underscore', () => {
    const name = `_${'x'.repeat(254)}`
    expect(feed(hex(`05 01 00  05 01 00 03 ff ${ascii(name)} 0050`), undefined, []).request).toMatchObject({
      host: name,
    })
  })
})

describe('UDP ASSOCIATE', () => {
  const offered = (text: string) => new SocksHandshake(undefined, true).push(hex(text))

  it('is a request where it is offered, whatever stands for the host', () => {
    const request = { command: 'associate', version: 5, port: 4000 }
    expect(offered('05 01 00  05 03 00 01 00000000 0fa0').request).toEqual({ ...request, host: '0.0.0.0' })
    expect(offered('05 01 00  05 03 00 03 00 0fa0').request).toEqual({ ...request, host: '0.0.0.0' })
    expect(offered('05 01 00  05 03 00 03 01 61 0fa0').request).toEqual({ ...request, host: 'a' })
  })

  it('is refused elsewhere, before its address is read', () => {
    expect(new SocksHandshake().push(hex('05 01 00  05 03 00')).refused?.code).toBe('SOCKS_COMMAND_UNSUPPORTED')
  })
})

describe('SOCKS4', () => {
  it('reads an address, and as 4a a domain', () => {
    expect(everySplit('04 01 990c 7f000001 75 73 65 72 00 ff')).toEqual({
      sent: '',
      request: { command: 'connect', version: 4, host: '127.0.0.1', port: 39180 },
      rest: 'ff',
    })
    expect(everySplit(`04 01 990c 00000001 61 00 ${ascii('localhost')} 00`).request).toEqual({
      command: 'connect',
      version: 4,
      host: 'localhost',
      port: 39180,
    })
    expect(everySplit(`04 01 990c 00070809 00 ${ascii('10.0.0.1')} 00`).request).toMatchObject({ host: '10.0.0.1' })
  })

  it('refuses BIND with 5b once the request is whole', () => {
    expect(feed(hex('04 02 990c 7f000001'), undefined, [])).toEqual({ sent: '' })
    expect(everySplit('04 02 990c 7f000001 00')).toEqual({
      sent: '005b000000000000',
      refused: 'SOCKS_COMMAND_UNSUPPORTED',
    })
  })

  it('refuses after two bytes where a password is required', () => {
    expect(everySplit('04 01', logins)).toEqual({ sent: '005b000000000000', refused: 'SOCKS_UNAUTHORIZED' })
  })

  it('bounds the user id and the domain', () => {
    const long = '61'.repeat(2048)
    expect(feed(hex(`04 01 990c 7f000001 ${long} 00`), undefined, []).request).toBeDefined()
    expect(everySplit(`04 01 990c 7f000001 ${long} 61 00`)).toEqual({ sent: '', refused: 'SOCKS_BAD_REQUEST' })
    expect(feed(hex(`04 01 990c 00000001 00 ${'61'.repeat(256)} 00`), undefined, []).refused).toBe('SOCKS_BAD_REQUEST')
  })
})

it('refuses every other first byte in silence', () => {
  for (const first of ['00', '06', '16', '47'])
    expect(everySplit(first)).toEqual({ sent: '', refused: 'SOCKS_BAD_REQUEST' })
})

it('knows whether the client said anything, and is over after the last step', () => {
  const handshake = new SocksHandshake()
  expect(handshake.push(new Uint8Array(0))).toEqual({ send: new Uint8Array(0) })
  expect(handshake.started).toBe(false)
  handshake.push(Uint8Array.of(5))
  expect(handshake.started).toBe(true)
  handshake.push(hex('01 02'))
  expect(() => handshake.push(hex('00'))).toThrow(expect.objectContaining({ code: 'PROTOCOL_MISUSE' }))
})
