/** Conversations with sub-streams or datagrams, opened by the sessions of VMess and read by the codecs of what is inside. */
import { describe, expect, it } from 'vitest'
import { FrameEncoder } from '../../src/protocol/mux/frame-encoder.ts'
import { readUnit } from '../../src/protocol/packetaddr/unit.ts'
import { fakeRandom } from '../../src/testing/fakes.ts'
import { decodeFrames, type SeenFrame, sameFrames } from '../support/mux.ts'
import { openedConversation, recorded } from '../support/peers-mux.ts'
import { type Conversation, concat, fromHex, pattern, sameBytes, toHex } from '../support/vectors.ts'
import { bytewise, cutAt } from '../support/vmess-pair.ts'

const random = fakeRandom(31)

/** The frames, the same at any split. */
function frames(wire: Uint8Array): SeenFrame[] {
  const seen = decodeFrames([wire], () => 'whole')
  sameFrames(decodeFrames(bytewise(wire)), seen)
  for (let i = 0; i < 50; i++)
    sameFrames(
      decodeFrames(cutAt(wire, random.below(wire.length)), () => 'whole'),
      seen,
    )
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
  const c = recorded('xray', 'mux concurrency 8, two connections')
  const { request, uplink, downlink } = openedConversation(c)
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
  const c = recorded(peer, name)
  const { request, uplink, downlink } = openedConversation(c)

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
  const c = recorded('singbox', 'udp packetaddr')
  const { request, sent, received } = openedConversation(c)
  expect(request).toMatchObject({ command: 'udp', target: { host: 'sp.packet-addr.v2fly.arpa', port: 0 } })
  for (const units of [sent, received]) {
    const read = units.map(readUnit)
    expect(read.map(({ payload }) => toHex(payload))).toEqual(datagrams(c))
    expect(read.map(({ address }) => address)).toEqual(read.map(() => target(c)))
  }
  expect(fromHex(toHex(sent[0]!)).subarray(0, 5)).toEqual(Uint8Array.of(1, 127, 0, 0, 1))
})
