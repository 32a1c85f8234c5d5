import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReceiveWindow } from './receive-window.ts'
import { commands, SegmentReader } from './segment.ts'
import { SegmentWriter } from './segment-writer.ts'
import { ahead, distance, plus } from './sequence.ts'
import { kcpSizes } from './sizes.ts'

const join = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]))

function all(datagram: Uint8Array): object[] {
  const reader = new SegmentReader()
  const found: object[] = []
  reader.begin(datagram)
  while (reader.next()) {
    const { conv, command, options, number, timestamp, sendingNext, receivingNext, receivingWindow, rto, count } =
      reader
    if (command === commands.data)
      found.push({ conv, options, timestamp, number, sendingNext, payload: reader.payload.slice() })
    else if (command === commands.ack) {
      const numbers = Array.from({ length: count }, (_, i) => reader.acknowledged(i))
      found.push({ conv, options, receivingWindow, receivingNext, timestamp, numbers })
    } else found.push({ conv, options, command, sendingNext, receivingNext, rto })
  }
  return found
}

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })

describe('segments', () => {
  it('stand behind one another', () => {
    const writer = new SegmentWriter(0xfedc, 1400)
    const data = writer.data(1, 2, 3, Uint8Array.of(9, 8)).slice()
    writer.addNumber(5)
    writer.addNumber(0xffffffff)
    const ack = writer.ack(10, 11, 12).slice()
    writer.options = 1
    const end = writer.command(commands.terminate, 20, 21, 22).slice()
    expect(all(join(data, ack, end))).toEqual([
      { conv: 0xfedc, options: 0, timestamp: 1, number: 2, sendingNext: 3, payload: Uint8Array.of(9, 8) },
      { conv: 0xfedc, options: 0, receivingWindow: 10, receivingNext: 11, timestamp: 12, numbers: [5, 0xffffffff] },
      { conv: 0xfedc, options: 1, command: commands.terminate, sendingNext: 20, receivingNext: 21, rto: 22 },
    ])
    expect(Buffer.from(data).toString('hex')).toBe('fedc010000000001000000020000000300020908')
  })

  it('are read back as they were written', () => {
    const payload = fc.uint8Array({ maxLength: 1382 })
    fc.assert(
      fc.property(u32, u32, u32, payload, (timestamp, number, sendingNext, bytes) => {
        const segment = new SegmentWriter(1, 1400).data(timestamp, number, sendingNext, bytes)
        expect(all(segment)).toEqual([{ conv: 1, options: 0, timestamp, number, sendingNext, payload: bytes }])
      }),
    )
  })

  it('of whatever comes are read within it, and cut ones not at all', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (foreign) => all(foreign).length <= foreign.length / 16))
    const whole = new SegmentWriter(1, 1400).data(1, 2, 3, new Uint8Array(40)).slice()
    for (let length = 0; length < whole.length; length++) expect(all(whole.subarray(0, length))).toEqual([])
  })
})

describe('numbers', () => {
  it('wrap round', () => {
    expect([ahead(2, 0xffffffff), ahead(0xffffffff, 2), distance(2, 0xffffffff), plus(0xffffffff, 2)]).toEqual([
      3, -3, 3, 1,
    ])
  })

  it('in a window across the wrap', () => {
    const window = new ReceiveWindow(4, (size) => ({ bytes: new Uint8Array(size), release: () => {} }))
    window.next = 0xfffffffe
    for (const number of [0xffffffff, 1, 0, 0xfffffffe, 2, 0xfffffffd]) {
      if (window.covers(number)) window.put(number, Uint8Array.of(number & 0xff))
    }
    const read = Array.from({ length: 5 }, () => window.take()?.bytes[0])
    expect(read).toEqual([0xfe, 0xff, 0, 1, undefined])
    expect([window.next, window.end]).toEqual([2, 6])
  })
})

describe('sizes', () => {
  const usual = {
    mtu: 1350,
    ttiMs: 50,
    sendCapacity: 5,
    receiveCapacity: 20,
    congestion: false,
    writeBuffer: 2 << 20,
    readBuffer: 2 << 20,
  }

  it('are V2Ray’s', () => {
    expect(kcpSizes(usual, 6)).toMatchObject({
      sendWindow: 194,
      receiveWindow: 776,
      sendQueue: 1553,
      payload: 1326,
      ackNumbers: 128,
    })
  })

  it('are bounded by the buffers, and never too small to go on', () => {
    expect(kcpSizes({ ...usual, readBuffer: 0, writeBuffer: 0 }, 6)).toMatchObject({
      receiveWindow: 388,
      sendQueue: 388,
    })
    expect(kcpSizes({ ...usual, sendCapacity: 0, receiveCapacity: 0 }, 6)).toMatchObject({
      sendWindow: 8,
      receiveWindow: 8,
    })
  })
})
