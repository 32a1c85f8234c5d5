/** Cases of the connection suite: bytes arrive as they were sent, and no buffer is kept. */

import assert from 'node:assert/strict'
import { join } from '../protocol/wire/join.ts'
import {
  BOUND,
  type Cases,
  collect,
  eventually,
  isStuck,
  PIECE,
  pattern,
  readExactly,
  same,
  send,
  soon,
} from './conn-suite-tools.ts'

export function readingCases(both: Cases): void {
  both('read() gives the bytes in order, and owned', async (from, to) => {
    const data = pattern(200_000, 1)
    const sent = send(from, data, 7_001)
    const pieces: Uint8Array[] = []
    let length = 0
    while (length < data.length) {
      const piece = await soon(to.read(), 'read()')
      assert(piece, 'the stream ended early')
      assert(piece.length > 0, 'read() gave an empty piece')
      pieces.push(piece)
      length += piece.length
    }
    await sent
    assert(same(join(pieces), data), 'the bytes differ, or were changed after read() gave them')
  })

  both('drainTo() gives the bytes in order after read() took some', async (from, to) => {
    const data = pattern(100_000, 2)
    await from.write(data.slice(0, 10))
    const first = await soon(to.read(), 'read()')
    assert(first)
    const rest = collect(to, data.length - first.length)
    await send(from, data.subarray(10), 3_333)
    assert(same(join([first, await rest]), data))
  })

  both('many tiny writes and an empty one arrive as one stream', async (from, to) => {
    const data = pattern(1_500, 3)
    const received = collect(to, data.length)
    for (const byte of data) {
      await from.write(Uint8Array.of(byte))
      await from.write(new Uint8Array(0))
    }
    assert(same(await received, data))
  })

  both('1 MB each way at once arrives intact', async (from, to) => {
    const there = pattern(1 << 20, 4)
    const back = pattern(1 << 20, 5)
    const received = Promise.all([collect(to, there.length), collect(from, back.length)])
    await Promise.all([send(from, there, 60_001), send(to, back, 9_999)])
    const [atTo, atFrom] = await received
    assert(same(atTo, there), 'one way')
    assert(same(atFrom, back), 'the other way')
  })

  both('60 rounds of ping-pong', async (from, to) => {
    for (let round = 0; round < 60; round++) {
      const data = pattern(1 + round * 53, round)
      await from.write(data.slice())
      assert(same(await readExactly(to, data.length), data), `ping ${round}`)
      await to.write(data.slice())
      assert(same(await readExactly(from, data.length), data), `pong ${round}`)
    }
  })
}

export function lendingCases(both: Cases): void {
  both('write() without release has used the bytes up when it returns', async (from, to) => {
    const data = pattern(300_000, 6)
    const received = collect(to, data.length)
    const lent = new Uint8Array(10_000)
    for (let at = 0; at < data.length; at += lent.length) {
      lent.set(data.subarray(at, at + lent.length))
      const wait = from.write(lent)
      lent.fill(0xee)
      await wait
    }
    assert(same(await received, data), 'a lent buffer was kept')
  })

  both('a Buffer, whose slice() copies nothing, is used up too', async (from, to) => {
    const lent = Buffer.alloc(5_000, 7)
    const received = collect(to, lent.length * 2)
    const first = from.write(lent)
    lent.fill(8)
    await first
    const second = from.write(lent)
    lent.fill(0xee)
    await second
    const bytes = await received
    assert(
      bytes.every((byte, i) => byte === (i < lent.length ? 7 : 8)),
      'a lent Buffer was kept',
    )
  })

  both('write() with release holds the buffer until release, which comes once', async (from, to) => {
    const data = pattern(300_000, 7)
    const received = collect(to, data.length)
    const counts: number[] = []
    for (let at = 0; at < data.length; at += 10_000) {
      const buffer = data.slice(at, at + 10_000)
      const index = counts.push(0) - 1
      await from.write(buffer, () => {
        counts[index]!++
        buffer.fill(0xee)
      })
    }
    assert(same(await received, data), 'a buffer was read after it had been released')
    await eventually(() => counts.every((count) => count > 0), 'a release never came')
    assert(
      counts.every((count) => count === 1),
      'a release came twice',
    )
  })

  both('an empty write with release releases', async (from, to) => {
    let released = 0
    await from.write(new Uint8Array(0), () => released++)
    await from.write(Uint8Array.of(1))
    assert(same(await readExactly(to, 1), Uint8Array.of(1)))
    await eventually(() => released === 1, 'the release never came')
  })

  both('bytes that drainTo() lends may be written on to another stream', async (from, to) => {
    const data = pattern(400_000, 8)
    const echoed = collect(from, data.length)
    const echoing = to.drainTo((lent) => to.write(lent)).catch(() => {})
    await send(from, data, 50_000)
    assert(same(await echoed, data))
    to.destroy()
    await echoing
  })

  both('release comes once also when the stream is destroyed', async (from, to) => {
    const counts: number[] = []
    for (let i = 0; i * PIECE < BOUND; i++) {
      const index = counts.push(0) - 1
      const wait = from.write(new Uint8Array(PIECE), () => counts[index]!++)
      if (wait && (await isStuck(wait))) break
    }
    from.destroy()
    await eventually(() => counts.every((count) => count > 0), 'a release never came')
    to.destroy()
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert(
      counts.every((count) => count === 1),
      'a release came twice',
    )
  })
}
