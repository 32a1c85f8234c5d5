/** Cases of the connection suite: one half ends and the other goes on. */

import assert from 'node:assert/strict'
import {
  type Cases,
  collect,
  eventually,
  failureOf,
  pattern,
  readExactly,
  same,
  send,
  soon,
} from './conn-suite-tools.ts'

export function halfCloseCases(both: Cases): void {
  both('closeWrite() ends the other end’s read(), again and again', async (from, to) => {
    await from.write(Uint8Array.of(1, 2))
    // A carrier may count bytes as handed over only when they are read, so closeWrite() is not awaited before.
    const closing = Promise.all([from.closeWrite(), from.closeWrite()])
    assert(same(await readExactly(to, 2), Uint8Array.of(1, 2)))
    assert.equal(await soon(to.read(), 'the end'), null)
    assert.equal(await soon(to.read(), 'the end, asked for again'), null)
    await soon(closing, 'closeWrite()')
  })

  both('everything written before closeWrite() arrives, and drainTo() resolves', async (from, to) => {
    const data = pattern(1 << 20, 11)
    const received = collect(to)
    await send(from, data, 65_536)
    await from.closeWrite()
    assert(same(await received, data))
  })

  both('drainTo() does not resolve while its sink waits, though the end is there already', async (from, to) => {
    let [waiting, received] = [0, 0]
    const drained = to.drainTo(async (lent) => {
      received += lent.length
      waiting++
      await new Promise((resolve) => setTimeout(resolve, 50))
      waiting--
    })
    for (let i = 0; i < 3; i++) {
      await from.write(Uint8Array.of(i))
      await eventually(() => received > 0, 'nothing arrived')
    }
    const closing = from.closeWrite()
    await soon(drained, 'drainTo()')
    assert.deepEqual({ waiting, received }, { waiting: 0, received: 3 })
    await closing
  })

  both('the other half goes on for 1 MB after closeWrite()', async (from, to) => {
    await from.write(Uint8Array.of(1))
    const closing = from.closeWrite()
    assert(same(await collect(to), Uint8Array.of(1)))
    await closing
    const data = pattern(1 << 20, 12)
    const received = collect(from)
    await send(to, data, 40_000)
    await to.closeWrite()
    assert(same(await received, data))
  })

  both('what was closed in order survives a destroy() after it', async (from, to) => {
    const data = pattern(3_000, 13)
    const received = collect(to)
    await from.write(data.slice())
    await from.closeWrite()
    from.destroy()
    assert(same(await received, data))
  })

  both('tells of a native end before anybody reads, once, and again to whoever asks later', async (from, to) => {
    if (!to.onEnded) return
    let told = 0
    to.onEnded(() => told++)
    to.onEnded(() => assert.fail('this was taken back'))()
    await from.write(Uint8Array.of(1, 2, 3))
    const closing = from.closeWrite()
    if (to.info.halfClose === 'native') await eventually(() => told === 1, 'the end was not told')
    assert(same(await readExactly(to, 3), Uint8Array.of(1, 2, 3)))
    assert.equal(await soon(to.read(), 'the end'), null)
    if (to.info.halfClose === 'native') assert.equal(told, 1)
    let later = 0
    to.onEnded(() => later++)
    assert.equal(later, 1)
    await closing
  })

  both('write() after closeWrite() rejects', async (from) => {
    Promise.resolve(from.closeWrite()).catch(() => {})
    await failureOf(from.write(Uint8Array.of(1)))
  })
}
