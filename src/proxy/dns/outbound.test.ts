import dnsPacket from 'dns-packet'
import { describe, expect, it } from 'vitest'
import type { Address } from '../../core/address.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import { silentLogger } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { forever } from '../../core/lifetime.ts'
import type { NameService } from '../../core/name-service.ts'
import type { Session } from '../../core/session.ts'
import type { DnsOutboundSettings } from '../../settings/dns.ts'
import { fakeNameServers } from '../../testing/fake-name-server.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { createDnsOutbound } from './outbound.ts'

const usual: DnsOutboundSettings = {
  to: { host: '', port: 0 },
  network: '',
  rules: [],
  others: { action: 'return', rcode: 0 },
  level: 0,
}
const server: Address = { host: '192.0.2.53', port: 53 }

const names: NameService = {
  async lookup(name, [type], _until, fake) {
    if (name === 'silent.test') throw new ProxyError('DNS_FAILED', 'nobody answers')
    if (name === 'none.test') return { rcode: 3, addresses: [], ttlS: 1 }
    const addresses = type === 'A' ? ['10.0.0.1', '10.0.0.2'] : ['2001:db8::1']
    return { rcode: 0, addresses: fake ? addresses : [], ttlS: 77 }
  },
}

function rig(settings: Partial<DnsOutboundSettings> = {}) {
  const upstream = fakeNameServers(({ type, server: at }) => ({
    answers: [{ type: 'TXT', name: 't.test', ttl: 5, data: `${at} ${type}` }],
  }))
  const outbound = createDnsOutbound(
    'dns-out',
    { ...usual, ...settings },
    {
      names,
      match: (rules) => (name) => rules.some((rule) => name.includes(rule)),
      env: { clock: fakeClock(0), random: fakeRandom(1), log: silentLogger },
      dialer: upstream.tcp,
      udp: upstream.udp,
      resolve: async () => [],
    },
  )
  return { outbound, upstream }
}

const query = (name: string, type: dnsPacket.RecordType, id = 7) =>
  dnsPacket.encode({ type: 'query', id, flags: dnsPacket.RECURSION_DESIRED, questions: [{ name, type, class: 'IN' }] })

const opened = (settings: Partial<DnsOutboundSettings> = {}, session?: Session): Promise<PacketConn> =>
  rig(settings).outbound.packets!.open({ until: forever, first: server, ...(session && { session }) })

/** What is answered to datagrams, in order; `until` so many have come. */
function answers(conn: PacketConn, count: number): Promise<dnsPacket.DecodedPacket[]> {
  return new Promise((resolve) => {
    const all: dnsPacket.DecodedPacket[] = []
    conn
      .drainTo((lent, from) => {
        expect(from).toEqual(server)
        all.push(dnsPacket.decode(Buffer.from(lent)))
        if (all.length === count) resolve(all)
      })
      .catch(() => {})
  })
}

describe('datagrams', () => {
  it('answers A and AAAA with made-up addresses too, in the words of the question', async () => {
    const conn = await opened()
    const both = answers(conn, 2)
    conn.send(query('A.Test', 'A'), server)
    conn.send(query('a.test', 'AAAA', 8), server)
    const [four, six] = await both
    expect(four).toMatchObject({ id: 7, flag_aa: true, flag_ra: true, flag_rd: true, rcode: 'NOERROR' })
    expect(four!.questions).toMatchObject([{ name: 'A.Test', type: 'A' }])
    expect(four!.answers).toMatchObject([
      { name: 'A.Test', type: 'A', ttl: 77, data: '10.0.0.1' },
      { type: 'A', data: '10.0.0.2' },
    ])
    expect(six!.answers).toMatchObject([{ type: 'AAAA', data: '2001:db8::1' }])
  })

  it('passes a response code on, and other types get an empty answer', async () => {
    const conn = await opened()
    const both = answers(conn, 2)
    conn.send(query('none.test', 'A', 1), server)
    conn.send(query('t.test', 'TXT', 2), server)
    const [none, text] = (await both).sort((a, b) => a.id! - b.id!)
    expect(none).toMatchObject({ rcode: 'NXDOMAIN', answers: [] })
    expect(text).toMatchObject({ rcode: 'NOERROR', answers: [] })
  })

  it('says nothing where nobody answers', async () => {
    const conn = await opened()
    const one = answers(conn, 1)
    conn.send(query('silent.test', 'A', 1), server)
    conn.send(query('a.test', 'A', 2), server)
    expect((await one)[0]!.id).toBe(2)
  })

  it('passes on what a rule says, and drops and refuses', async () => {
    const rules = [
      { action: 'direct', types: [[16, 16]], domains: [], rcode: 0 },
      { action: 'drop', types: [[15, 15]], domains: [], rcode: 0 },
      { action: 'return', types: [], domains: ['bad'], rcode: 5 },
    ] as const
    const conn = await opened({ rules })
    const both = answers(conn, 2)
    conn.send(query('x.test', 'MX', 1), server)
    conn.send(query('bad.test', 'A', 2), server)
    conn.send(query('t.test', 'TXT', 3), server)
    const got = await both
    expect(got.find(({ id }) => id === 2)).toMatchObject({ rcode: 'REFUSED' })
    expect(got.find(({ id }) => id === 3)!.answers).toMatchObject([{ data: [Buffer.from('192.0.2.53 TXT')] }])
  })

  it('passes questions of the built-in DNS on: they would come back', async () => {
    const conn = await opened({ to: { host: '192.0.2.99', port: 0 } }, { source: '' } as Session)
    const one = answers(conn, 1)
    conn.send(query('t.test', 'A'), server)
    expect((await one)[0]!.answers).toMatchObject([{ data: [Buffer.from('192.0.2.99 A')] }])
  })

  it('drops what nobody can answer any more', async () => {
    const conn = await opened()
    conn.destroy()
    expect(conn.send(query('a.test', 'A'), server)).toBe(false)
    expect(conn.dropped).toBe(1)
  })
})

describe('streams', () => {
  const framed = (message: Uint8Array) =>
    Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message])

  it('answers several questions that come in pieces, and ends when they have all been answered', async () => {
    const conn = await rig().outbound.dial(server, { until: forever })
    const bytes = Buffer.concat([framed(query('a.test', 'A', 1)), framed(query('a.test', 'AAAA', 2))])
    for (const byte of bytes) await conn.write(Uint8Array.of(byte))
    await conn.closeWrite()
    const got: Buffer[] = []
    for (let piece = await conn.read(); piece; piece = await conn.read()) got.push(Buffer.from(piece))
    const ids = got.map((piece) => dnsPacket.decode(piece.subarray(2)).id)
    expect(ids.sort()).toEqual([1, 2])
  })

  it('asks whoever sends many questions at once to wait, and answers all', async () => {
    const conn = await rig().outbound.dial(server, { until: forever })
    const many = Buffer.concat(Array.from({ length: 200 }, (_, id) => framed(query('a.test', 'A', id))))
    const waiting = conn.write(many)
    expect(waiting).toBeInstanceOf(Promise)
    let count = 0
    while (count < 200 && (await conn.read())) count++
    await waiting
    expect(count).toBe(200)
  })

  it('is over for both sides when it is destroyed', async () => {
    const conn = await rig().outbound.dial(server, { until: forever })
    const reading = conn.read()
    conn.destroy()
    await expect(reading).rejects.toMatchObject({ code: 'CONN_CLOSED' })
    await expect(conn.write(Uint8Array.of(0))).rejects.toMatchObject({ code: 'CONN_CLOSED' })
  })
})
