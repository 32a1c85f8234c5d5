/** Conversations with sub-streams or datagrams, opened by the sessions of VMess and read by the codecs of what is inside. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { FrameEncoder } from '../../src/protocol/mux/frame-encoder.ts'
import { readUnit } from '../../src/protocol/packetaddr/unit.ts'
import { parseId } from '../../src/protocol/vmess/identity.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'
import { decodeFrames, type SeenFrame } from '../support/mux.ts'
import { type Conversation, concat, fromHex, pattern, sameBytes, toHex } from '../support/vectors.ts'
import { bytewise, cutAt, openAll, pushAll, testClient, testServer, testUser } from '../support/vmess-pair.ts'

const { cases } = JSON.parse(readFileSync(new URL('../vectors/peers-mux.json', import.meta.url), 'utf8')) as {
  cases: Conversation[]
}
const random = fakeRandom(31)
const found = (peer: string, name: string): Conversation => {
  const one = cases.find((c) => c.peer === peer && c.name === name)
  if (!one) throw new Error(`no conversation ${name}`)
  return one
}

const bytesOf = (c: Conversation, dir: 'c2s' | 's2c') =>
  concat(...c.events.flatMap((e) => (e.dir === dir && e.base64 ? [Buffer.from(e.base64, 'base64')] : [])))

/** Both directions in plaintext, and each datagram of a UDP request. */
function opened(c: Conversation) {
  const user = testUser(0, { id: parseId(c.id) })
  const { request, behind } = pushAll(testServer([user], fakeClock(c.unixTime * 1000)).accept(), [bytesOf(c, 'c2s')])
  if (!request) throw new Error('the header is not complete')
  const sent: Uint8Array[] = []
  const received: Uint8Array[] = []
  const note = (into: Uint8Array[]) => (datagram: Uint8Array) => void into.push(datagram.slice())
  const opener = request.command === 'udp' ? request.packetOpener(note(sent)) : request.opener
  const uplink = openAll(opener, behind)
  const client = testClient(user, fakeClock(c.unixTime * 1000), {
    command: request.command,
    security: 'aes-128-gcm',
    experiments: { authenticatedLength: request.options.authenticatedLength, noTerminationSignal: false },
    globalPadding: request.options.globalPadding,
    keys: request.keys,
    packet: note(received),
  })
  const downlink = openAll(client.opener, [bytesOf(c, 's2c')])
  return { request, uplink, downlink, sent, received }
}

/** The frames, the same at any split. */
function frames(wire: Uint8Array): SeenFrame[] {
  const seen = decodeFrames([wire], () => 'whole')
  expect(decodeFrames(bytewise(wire))).toEqual(seen)
  for (let i = 0; i < 50; i++) expect(decodeFrames(cutAt(wire, random.below(wire.length)), () => 'whole')).toEqual(seen)
  expect(seen.some((frame) => frame.malformed)).toBe(false)
  return seen
}

/** Our encoder, given what a recorded client was given. */
function encoded(seen: readonly SeenFrame[]): Uint8Array {
  const [first] = seen
  const encoder = new FrameEncoder(first!.session, {
    network: first!.network!,
    target: first!.address!,
  })
  const pieces = seen.map((frame) => {
    const into = new Uint8Array(encoder.room(frame.data.length))
    return into.slice(0, encoder.datagram(frame.data, into, 0, frame.address))
  })
  return concat(...pieces)
}

const datagrams = (c: Conversation) => c.sizes.map((size, k) => toHex(pattern(size, k)))
const dataOf = (seen: readonly SeenFrame[]) => seen.filter((frame) => frame.data.length).map(({ data }) => toHex(data))
const target = (c: Conversation) => ({ host: c.target.address, port: c.target.port })

it('xray: two connections over one carrier of Mux.Cool', () => {
  const c = found('xray', 'mux concurrency 8, two connections')
  const { request, uplink, downlink } = opened(c)
  expect(request).toMatchObject({ command: 'mux', target: { host: 'v1.mux.cool' } })
  const there = frames(uplink)
  const back = frames(downlink)
  const opens = there.filter((frame) => frame.status === 'new')
  expect(opens.map(({ network, address, session }) => ({ network, address, session }))).toEqual([
    { network: 'tcp', address: target(c), session: 1 },
    { network: 'tcp', address: target(c), session: 2 },
  ])
  const whole = pattern(c.sizes.reduce((sum, size) => sum + size))
  for (const session of [1, 2]) {
    const of = (seen: readonly SeenFrame[]) => seen.filter((frame) => frame.session === session)
    for (const seen of [of(there), of(back)]) sameBytes(concat(...seen.map((frame) => frame.data)), whole)
    expect(of(there).at(-1)).toMatchObject({ status: 'end' })
  }
})

describe.each([
  ['xray', 'udp without mux', 0],
  ['xray', 'udp over mux with XUDP', 1],
  ['singbox', 'udp xudp', 0],
] as const)('%s: %s', (peer, name, session) => {
  const c = found(peer, name)
  const { request, uplink, downlink } = opened(c)

  it('the client’s frames are the datagrams, and our encoder writes the same bytes', () => {
    expect(request.command).toBe('mux')
    const seen = frames(uplink)
    expect(seen[0]).toMatchObject({ status: 'new', session, network: 'udp', address: target(c) })
    // No GlobalID, for the recorded clients listened with a fixed target.
    expect(uplink[1]).toBe(12)
    expect(dataOf(seen)).toEqual(datagrams(c))
    const data = seen.filter((frame) => frame.data.length > 0)
    const wire = encoded(data)
    expect(toHex(wire)).toBe(toHex(uplink.subarray(0, wire.length)))
  })

  it('the server’s frames are the echoes, from where they came', () => {
    const seen = frames(downlink).filter((frame) => frame.data.length > 0)
    expect(dataOf(seen)).toEqual(datagrams(c))
    expect(seen.map((frame) => frame.address)).toEqual(seen.map(() => target(c)))
    const encoder = new FrameEncoder(session)
    const wire = seen.map(({ data, address }) => {
      const into = new Uint8Array(encoder.room(data.length))
      return into.slice(0, encoder.datagram(data, into, 0, address))
    })
    expect(toHex(downlink)).toMatch(new RegExp(`^${toHex(concat(...wire))}`))
  })
})

it('singbox: packetaddr', () => {
  const c = found('singbox', 'udp packetaddr')
  const { request, sent, received } = opened(c)
  expect(request).toMatchObject({ command: 'udp', target: { host: 'sp.packet-addr.v2fly.arpa', port: 0 } })
  for (const units of [sent, received]) {
    const read = units.map(readUnit)
    expect(read.map(({ payload }) => toHex(payload))).toEqual(datagrams(c))
    expect(read.map(({ address }) => address)).toEqual(read.map(() => target(c)))
  }
  expect(fromHex(toHex(sent[0]!)).subarray(0, 5)).toEqual(Uint8Array.of(1, 127, 0, 0, 1))
})
