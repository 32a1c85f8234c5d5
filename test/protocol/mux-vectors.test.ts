import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { keyedBlake3 } from '../../src/crypto/blake3.ts'
import { FrameEncoder, type Opening, writeEnd } from '../../src/protocol/mux/frame-encoder.ts'
import { globalId } from '../../src/protocol/mux/global-id.ts'
import { readUnit, writeUnit } from '../../src/protocol/packetaddr/unit.ts'
import { UnitDecoder, writeStreamed } from '../../src/protocol/packetaddr/unit-stream.ts'
import { fakeRandom } from '../../src/testing/fakes.ts'
import { decodeFrames, framesInto, type SeenFrame, sameFrames } from '../support/mux.ts'
import { concat, fromHex, toHex } from '../support/vectors.ts'
import { bytewise, cutAt } from '../support/vmess-pair.ts'

interface Vectors {
  readonly metadata: readonly {
    readonly name: string
    readonly hex: string
    readonly option: number
    readonly sessionId: number
    readonly status: number
    readonly target?: Target
  }[]
  readonly writers: readonly Writer[]
  readonly transcript: { readonly events: readonly { readonly dir: 'c2s' | 's2c'; readonly hex: string }[] }
  readonly serverCases: {
    readonly cases: readonly {
      readonly name: string
      readonly sent: readonly Sent[]
      readonly connectionBroken: boolean
      readonly targetSaw: readonly { readonly bufferLengths?: readonly number[] }[] | null
    }[]
  }
  readonly xudp: {
    readonly frames: readonly XudpFrame[]
    readonly globalId: {
      readonly baseKeyHex: string
      readonly cases: readonly { readonly source: string; readonly globalIdHex: string }[]
    }
  }
  readonly packetaddr: { readonly packets: readonly Packet[] }
}

const vectors: Vectors = JSON.parse(readFileSync(new URL('../vectors/mux.json', import.meta.url), 'utf8'))
const random = fakeRandom(99)

interface Target {
  readonly address: string
  readonly port: number
  readonly network: 'tcp' | 'udp'
}

const addressOf = ({ address, port }: Target) => ({ host: address.replace(/^\[|\]$/g, ''), port })
const statusOf = ['', 'new', 'keep', 'end', 'keepAlive'] as const

const written = (room: number, write: (into: Uint8Array, at: number) => number): Uint8Array => {
  const into = new Uint8Array(room)
  return into.subarray(0, write(into, 0))
}

/** The frames of a stream, the same in one piece, byte by byte and at random cuts. */
function framesOf(wire: Uint8Array): SeenFrame[] {
  const seen = decodeFrames([wire], () => 'whole')
  const places = Array.from({ length: 5 }, () => random.below(wire.length + 1)).sort((a, b) => a - b)
  for (const pieces of [bytewise(wire), cutAt(wire, ...places), cutAt(wire, random.below(wire.length))]) {
    for (const use of ['whole', 'pieces'] as const)
      sameFrames(
        decodeFrames(pieces, () => use),
        seen,
      )
  }
  return seen
}

describe.each(vectors.metadata)('metadata $name', ({ hex, option, sessionId, status, target }) => {
  it('decodes', () => {
    // The vectors leave the data part out; an empty one stands in for it.
    const wire = concat(fromHex(hex), new Uint8Array(option & 1 ? 2 : 0))
    expect(framesOf(wire)).toEqual([
      {
        session: sessionId,
        status: statusOf[status],
        error: (option & 2) !== 0,
        ...(target && { network: target.network, address: addressOf(target) }),
        dataLength: 0,
        data: new Uint8Array(0),
      },
    ])
  })
})

interface Writer {
  readonly name: string
  readonly inputs: readonly string[][]
  readonly outputs: readonly string[]
  readonly closeHex?: string
  readonly sessionId: number
  readonly target?: Target
  readonly transfer: 'stream' | 'packet'
}

// Where V2Ray cuts a stream at the borders of its buffers any other cut is as good.
const exactWriters = vectors.writers.filter(({ name }) => !name.includes('1500-byte buffers'))

describe('writers', () => {
  it.each(vectors.writers)('$name: decodes to what was written', ({ inputs, outputs, closeHex, transfer }) => {
    const pieces = inputs.map((buffers) => buffers.map(fromHex))
    const seen = framesOf(concat(...outputs.map(fromHex), fromHex(closeHex ?? '')))
    expect(toHex(concat(...seen.map((frame) => frame.data)))).toBe(toHex(concat(...pieces.flat())))
    if (transfer === 'packet') expect(seen.filter((frame) => frame.data.length)).toHaveLength(pieces.flat().length)
  })

  it.each(exactWriters)('$name: encodes to the same bytes', (writer) => {
    const { inputs, outputs, closeHex, sessionId, target, transfer } = writer
    const opening: Opening | undefined = target && { network: target.network, target: addressOf(target) }
    const encoder = new FrameEncoder(sessionId, opening)
    const wire = inputs.map((texts) => {
      const buffers = texts.map(fromHex)
      if (buffers.length === 0) return written(encoder.room(0), (into, at) => encoder.open(into, at))
      const write = transfer === 'packet' ? 'datagram' : 'stream'
      const units = transfer === 'packet' ? buffers : [concat(...buffers)]
      return concat(
        ...units.map((bytes) => written(encoder.room(bytes.length), (into, at) => encoder[write](bytes, into, at))),
      )
    })
    expect(wire.map(toHex)).toEqual(outputs)
    if (closeHex) expect(toHex(written(encoder.room(0), (into, at) => encoder.end(into, at)))).toBe(closeHex)
  })
})

describe('the transcript', () => {
  const { events } = vectors.transcript

  it.each(['c2s', 's2c'] as const)('%s, whole and at every split', (dir) => {
    const own = events.filter((event) => event.dir === dir).map((event) => fromHex(event.hex))
    const seen = framesOf(concat(...own))
    expect(seen).toEqual(own.flatMap((wire) => decodeFrames([wire])))
    expect(seen.some((frame) => frame.malformed)).toBe(false)
    const wire = concat(...own)
    for (let cut = 0; cut <= wire.length; cut++) sameFrames(decodeFrames(cutAt(wire, cut)), seen)
  })

  it('its Ends are written alike', () => {
    const ends = events.filter(({ hex }) => hex.length === 12 && hex.slice(8, 10) === '03')
    expect(ends.length).toBeGreaterThan(8)
    for (const { hex } of ends) {
      const into = new Uint8Array(6)
      writeEnd(into, 0, Number.parseInt(hex.slice(4, 8), 16), hex.endsWith('02'))
      expect(toHex(into)).toBe(hex)
    }
  })
})

/** Where V2Ray ends the carrier although frames can still be told apart, ours marks the frame and reads on. */
const markedOnly = /^New with (network|address type|metadata length|an empty domain)|^New domain with a bad character/
/** Larger than V2Ray's buffer; we take what a length can name. */
const takenByUs = /^udp 2049$/

type Sent = string | { headHex: string; length: number }
const bytesOf = (sent: Sent): Uint8Array => {
  if (typeof sent === 'string') return fromHex(sent)
  const bytes = new Uint8Array(sent.length)
  bytes.set(fromHex(sent.headHex))
  return bytes
}

describe.each(vectors.serverCases.cases)('server case $name', ({ name, sent, connectionBroken, targetSaw }) => {
  it('ends what it must', () => {
    const seen: SeenFrame[] = []
    const decoder = framesInto(seen)
    const push = () => {
      for (const one of sent) decoder.push(bytesOf(one))
    }
    if (!connectionBroken || takenByUs.test(name)) {
      push()
      decoder.end()
      expect(seen.some((frame) => frame.malformed)).toBe(false)
      const reached = seen.filter((frame) => frame.status === 'new' || frame.status === 'keep')
      const lengths = reached.map((frame) => frame.data.length).filter((length) => length > 0)
      const expected = (targetSaw ?? []).flatMap(({ bufferLengths }) =>
        bufferLengths ? [bufferLengths.reduce((sum, length) => sum + length)] : [],
      )
      expect(lengths).toEqual(takenByUs.test(name) ? [2049] : expected)
    } else if (markedOnly.test(name)) {
      push()
      expect(seen.at(-1)).toMatchObject({ status: 'new', malformed: expect.any(String) })
    } else {
      expect(push).toThrow(expect.objectContaining({ code: 'MUX_MALFORMED' }))
    }
  })
})

interface XudpFrame {
  readonly name: string
  readonly sessionId: number
  readonly status: number
  readonly option: number
  readonly globalId?: string
  readonly data?: string
  readonly target?: Target
  readonly hex: string
}

const xudpFrames = vectors.xudp.frames
const textOf = (frame: XudpFrame): Uint8Array => new TextEncoder().encode(frame.data ?? '')

describe('XUDP', () => {
  it.each(xudpFrames)('$name: decodes', (frame) => {
    const { sessionId, status, option, target, globalId: id, hex } = frame
    const data = Uint8Array.from(textOf(frame))
    const named = id !== undefined && !/^0+$/.test(id)
    expect(framesOf(fromHex(hex))).toEqual([
      {
        session: sessionId,
        status: statusOf[status],
        error: (option & 2) !== 0,
        ...(target && { address: addressOf(target) }),
        ...(status === 1 && { network: 'udp' }),
        ...(named && { globalId: fromHex(id) }),
        dataLength: data.length,
        data,
      },
    ])
  })

  // KeepAlive is only ever received.
  it.each(xudpFrames.filter(({ status }) => status < 4))('$name: encodes to the same bytes', (frame) => {
    const { sessionId, status, option, target, globalId: id, hex } = frame
    const data = textOf(frame)
    const address = target && addressOf(target)
    const opening = status === 1 && { network: 'udp' as const, target: address!, ...(id && { globalId: fromHex(id) }) }
    const encoder = opening ? new FrameEncoder(sessionId, opening) : new FrameEncoder(sessionId)
    const write = (into: Uint8Array, at: number): number => {
      if (status === 3) return encoder.end(into, at, (option & 2) !== 0)
      return option & 1 ? encoder.datagram(data, into, at, address) : encoder.open(into, at)
    }
    expect(toHex(written(encoder.room(data.length), write))).toBe(hex)
  })
})

it.each(vectors.xudp.globalId.cases)('GlobalID of $source', ({ source, globalIdHex }) => {
  const key = fromHex(vectors.xudp.globalId.baseKeyHex)
  expect(toHex(globalId(keyedBlake3, key, source.replace('udp:', '')))).toBe(globalIdHex)
})

interface Packet extends Target {
  readonly dataUtf8: string
  readonly hex: string
  readonly streamHex: string
}

describe.each(vectors.packetaddr.packets)('packetaddr $hex', (packet) => {
  const payload = new TextEncoder().encode(packet.dataUtf8)
  const address = addressOf(packet)

  it('a unit', () => {
    expect(toHex(written(64, (into, at) => writeUnit(payload, address, into, at)))).toBe(packet.hex)
    expect(readUnit(fromHex(packet.hex))).toEqual({ address, payload: Uint8Array.from(payload) })
  })

  it('on a stream, at every split', () => {
    const wire = written(64, (into, at) => writeStreamed(payload, address, into, at))
    expect(toHex(wire)).toBe(packet.streamHex)
    for (let cut = 0; cut <= wire.length; cut++) {
      const seen: unknown[] = []
      const decoder = new UnitDecoder((bytes, from) => seen.push({ from, text: new TextDecoder().decode(bytes) }))
      for (const piece of cutAt(wire, cut)) decoder.push(piece)
      decoder.end()
      expect(seen).toEqual([{ from: address, text: packet.dataUtf8 }])
    }
  })
})
