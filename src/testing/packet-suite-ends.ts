/** Cases of the datagram suite: readers, and the end. */

import assert from 'node:assert/strict'
import { eventually, failureOf, pattern, soon } from './conn-suite-tools.ts'
import { Inbox, type PacketCases, sendCopy } from './packet-suite-tools.ts'

const code = (error: unknown): unknown => (error as { code?: unknown }).code

export function endCases(both: PacketCases, closeWrite: boolean): void {
  both('has one reader at a time', async ({ to }) => {
    const first = to.drainTo(() => {}).catch(() => {})
    assert.equal(code(await failureOf(to.drainTo(() => {}))), 'PROTOCOL_MISUSE')
    to.destroy()
    await soon(first, 'the drain')
  })

  both('gives back what the sink threw, and can be drained again', async ({ from, to, ways }) => {
    const mine = new Error('from the sink')
    const failure = failureOf(
      to.drainTo(() => {
        throw mine
      }),
    )
    for (let i = 0; i < 3; i++) sendCopy(from, pattern(100, i), ways[0]!.to)
    assert.equal(await failure, mine)
    assert.equal(to.gone, undefined)
    const inbox = new Inbox(to)
    await eventually(() => {
      sendCopy(from, Uint8Array.of(1), ways[0]!.to)
      return inbox.received.some(({ bytes }) => bytes.length === 1)
    }, 'nothing came to the second reader')
  })

  both('rejects the drain with the reason, and is gone for it', async ({ to }) => {
    const reason = new Error('why')
    const failure = failureOf(to.drainTo(() => {}))
    const seen: Error[] = []
    assert.equal(to.gone, undefined)
    to.onGone((why) => seen.push(why))
    to.onGone(() => seen.push(new Error('taken back')))()
    to.destroy(reason)
    to.destroy(new Error('again'))
    assert.equal(await failure, reason)
    assert.equal(to.gone, reason)
    to.onGone((why) => seen.push(why))
    assert.deepEqual(seen, [reason, reason])
    assert.equal(await failureOf(to.drainTo(() => {})), reason)
  })

  both('has the code CONN_CLOSED without a reason', async ({ to }) => {
    const failure = failureOf(to.drainTo(() => {}))
    to.destroy()
    assert.equal(code(await failure), 'CONN_CLOSED')
  })

  both('drops and counts what is sent when it is gone', async ({ from, ways }) => {
    from.destroy()
    const before = from.dropped
    assert.equal(from.send(Uint8Array.of(1), ways[0]!.to), false)
    assert.equal(from.dropped, before + 1)
    await soon(Promise.resolve(from.closeWrite()), 'closeWrite()')
  })

  both('drops and counts what is sent after closeWrite(), and still receives', async ({ from, to, ways }) => {
    const there = new Inbox(to)
    sendCopy(from, Uint8Array.of(1), ways[0]!.to)
    await soon(Promise.resolve(from.closeWrite()), 'closeWrite()')
    await soon(Promise.resolve(from.closeWrite()), 'closeWrite() again')
    assert.equal(sendCopy(from, Uint8Array.of(2), ways[0]!.to), false)
    assert.equal(from.dropped, 1)
    assert.equal((await there.have(1))[0]!.bytes[0], 1)
    assert.equal(from.gone, undefined)
    if (closeWrite) assert.equal(await soon(there.drained, 'the end'), undefined)
  })

  if (!closeWrite) return
  both('ends what nobody drained when it began to be drained', async ({ from, to, ways }) => {
    sendCopy(from, Uint8Array.of(1), ways[0]!.to)
    // A stream's carrier may hold all of it until somebody drains.
    const closing = Promise.resolve(from.closeWrite())
    await soon(new Inbox(to).drained, 'the end')
    await soon(closing, 'closeWrite()')
    await soon(
      to.drainTo(() => {}),
      'the end of another drain',
    )
  })

  both('tells the other end of a death without an end', async ({ from, to }) => {
    const inbox = new Inbox(to)
    from.destroy()
    assert(await soon(inbox.drained, 'the failure'))
    await eventually(() => to.gone !== undefined, 'the other end is not gone')
  })
}
