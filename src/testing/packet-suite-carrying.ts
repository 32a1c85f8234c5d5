/** Cases of the datagram suite: what arrives, and what is dropped. */

import assert from 'node:assert/strict'
import { formatAddress } from '../core/address.ts'
import { eventually, pattern, same } from './conn-suite-tools.ts'
import { Inbox, type PacketCases, sendCopy } from './packet-suite-tools.ts'

export function carryingCases(both: PacketCases, kernelDrops: boolean): void {
  both('keeps borders, order and bytes, whatever becomes of the buffers', async ({ from, to, ways }) => {
    const inbox = new Inbox(to)
    const sizes = [1, 40, 512, 1200, 1400, 2].filter((size) => size <= from.info.largest)
    for (const [i, size] of sizes.entries()) assert.equal(sendCopy(from, pattern(size, i), ways[0]!.to), true)
    const received = await inbox.have(sizes.length)
    for (const [i, size] of sizes.entries()) assert(same(received[i]!.bytes, pattern(size, i)), `datagram ${i}`)
    assert.equal(from.dropped, 0)
  })

  both('tells where each one came from', async ({ from, to, ways }) => {
    const inbox = new Inbox(to)
    const all = [...ways, ...ways]
    for (const [i, way] of all.entries()) assert.equal(sendCopy(from, Uint8Array.of(i), way.to), true)
    const received = await inbox.have(all.length)
    const byContent = received.toSorted((x, y) => x.bytes[0]! - y.bytes[0]!)
    assert.deepEqual(
      byContent.map((one) => one.from),
      all.map((way) => formatAddress(way.from)),
    )
  })

  both('carries the largest, drops and counts what is larger, and goes on', async ({ from, to, ways }) => {
    const inbox = new Inbox(to)
    const { largest } = from.info
    assert.equal(sendCopy(from, pattern(largest + 1, 1), ways[0]!.to), false)
    assert.equal(from.dropped, 1)
    assert.equal(sendCopy(from, pattern(largest, 2), ways[0]!.to), true)
    assert.equal(sendCopy(from, pattern(100_000, 1), ways[0]!.to), false)
    assert.equal(sendCopy(from, pattern(10, 3), ways[0]!.to), true)
    const received = await inbox.have(2)
    assert(same(received[0]!.bytes, pattern(largest, 2)), 'the largest')
    assert(same(received[1]!.bytes, pattern(10, 3)), 'the one after')
    assert.equal(from.dropped, 2)
  })

  both('carries an empty one as an empty one or drops and counts it', async ({ from, to, ways }) => {
    const inbox = new Inbox(to)
    const carried = from.send(new Uint8Array(0), ways[0]!.to)
    assert.equal(from.dropped, carried ? 0 : 1)
    assert.equal(sendCopy(from, Uint8Array.of(7), ways[0]!.to), true)
    const received = await inbox.have(carried ? 2 : 1)
    assert.deepEqual(
      received.map(({ bytes }) => bytes.length),
      carried ? [0, 1] : [1],
    )
  })

  both('takes or drops at once when nobody drains, never waits, and lives on', async ({ from, to, ways }) => {
    const piece = pattern(1000, 4)
    let refused = 0
    for (let i = 0; i < 20_000; i++) {
      const sent: unknown = from.send(piece, ways[0]!.to)
      assert(sent === true || sent === false, 'send() gives a boolean')
      if (!sent) refused++
    }
    assert(kernelDrops || from.dropped > 0, '20 MB were taken although nobody drained')
    assert(from.dropped >= refused, `${from.dropped} counted of ${refused}`)
    const inbox = new Inbox(to)
    let tries = 0
    await eventually(() => {
      sendCopy(from, Uint8Array.of(9), ways[0]!.to)
      return inbox.received.some(({ bytes }) => bytes.length === 1) || ++tries > 400
    }, 'nothing came any more')
    assert(tries <= 400, 'nothing came any more')
    assert(inbox.received.every(({ bytes }) => bytes.length === 1 || same(bytes, piece)))
  })

  both('carries both ways at once', async ({ from, to, ways, back }) => {
    const [there, here] = [new Inbox(to), new Inbox(from)]
    for (let i = 0; i < 10; i++) {
      sendCopy(from, pattern(100, i), ways[0]!.to)
      sendCopy(to, pattern(100, 50 + i), back[0]!.to)
    }
    const received = [...(await there.have(10)), ...(await here.have(10))]
    for (const [i, { bytes }] of received.entries()) assert(same(bytes, pattern(100, i < 10 ? i : 40 + i)))
  })
}
