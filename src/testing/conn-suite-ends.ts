/** Cases of the connection suite: pauses and the end. */

import assert from 'node:assert/strict'
import { join } from '../protocol/wire/join.ts'
import {
  BOUND,
  type Cases,
  collect,
  drainUntil,
  eventually,
  failureOf,
  isStuck,
  PIECE,
  pattern,
  readExactly,
  same,
  send,
  soon,
} from './conn-suite-tools.ts'

export function backPressureCases(both: Cases): void {
  both('write() asks to wait when nobody reads, and goes on when somebody does', async (from, to) => {
    const piece = pattern(PIECE, 9)
    let written = 0
    let wait: void | Promise<void>
    while (written < BOUND) {
      wait = from.write(piece)
      written += piece.length
      if (wait && (await isStuck(wait))) break
    }
    assert(written < BOUND, `${written} bytes were taken although nobody read`)
    let received = 0
    const reading = drainUntil(to, (lent) => {
      for (let i = 0; i < lent.length; i++) {
        if (lent[i] !== piece[(received + i) % PIECE]) throw new Error(`wrong byte at ${received + i}`)
      }
      received += lent.length
      return received >= written
    })
    await soon(wait!, 'the write that had to wait')
    await reading
    assert.equal(received, written)
  })

  both('holdAtMost() decides when write() asks to wait, also for a write that waits already', async (from, to) => {
    const piece = pattern(PIECE, 14)
    from.holdAtMost(0)
    let written = 0
    let wait: void | Promise<void>
    while (written < BOUND) {
      wait = from.write(piece)
      written += piece.length
      if (wait && (await isStuck(wait))) break
    }
    assert(written < BOUND, `${written} bytes were taken although nobody read`)
    from.holdAtMost(Number.POSITIVE_INFINITY)
    await soon(wait!, 'the write that had to wait')
    for (let i = 0; i < 4; i++) {
      assert.equal(from.write(piece), undefined)
      written += piece.length
    }
    from.holdAtMost(4 * piece.length)
    wait = from.write(piece)
    written += piece.length
    assert(wait && (await isStuck(wait)), 'the write did not ask to wait at the new bound')
    const pieces = collect(to, written)
    await soon(wait, 'the write that had to wait')
    await pieces
  })

  both('a promise from the sink pauses the source', async (from, to) => {
    const data = pattern(150_000, 10)
    let paused = false
    const pieces: Uint8Array[] = []
    let length = 0
    const reading = drainUntil(to, (lent) => {
      if (paused) throw new Error('the sink was called while its promise was open')
      paused = true
      pieces.push(new Uint8Array(lent))
      length += lent.length
      return new Promise((resolve) => {
        setTimeout(() => {
          paused = false
          resolve(length >= data.length)
        }, 1)
      })
    })
    await Promise.all([send(from, data, 30_000), reading])
    assert(same(join(pieces), data))
  })

  both('what the sink throws comes out of drainTo(), and the other direction lives on', async (from, to) => {
    const mine = new Error('from the sink')
    await from.write(Uint8Array.of(1))
    const thrown = to.drainTo(() => {
      throw mine
    })
    assert.equal(await failureOf(thrown), mine)
    await to.write(Uint8Array.of(2))
    assert(same(await readExactly(from, 1), Uint8Array.of(2)))
  })

  both('what the sink rejects with comes out of drainTo()', async (from, to) => {
    const mine = new Error('from the sink')
    await from.write(Uint8Array.of(1))
    assert.equal(await failureOf(to.drainTo(() => Promise.reject(mine))), mine)
  })
}

export function destroyCases(both: Cases): void {
  both('a write that waits rejects, and the other end learns of it', async (from, to) => {
    let wait: void | Promise<void>
    for (let written = 0; written < BOUND; written += PIECE) {
      wait = from.write(new Uint8Array(PIECE))
      if (wait && (await isStuck(wait))) break
    }
    const failure = failureOf(wait!)
    from.destroy()
    await failure
    // An orderly end would be a lie only if the carrier could tell; TCP cannot always. It must end, though.
    await soon(
      to.drainTo(() => {}).catch(() => {}),
      'the end at the other side',
    )
  })

  both('pending read() rejects with the reason', async (from) => {
    const reason = new Error('why')
    const failure = failureOf(from.read())
    from.destroy(reason)
    assert.equal(await failure, reason)
  })

  both('drainTo() rejects with the reason, also while its sink waits', async (from, to) => {
    const reason = new Error('why')
    const idle = failureOf(from.drainTo(() => {}))
    await from.write(Uint8Array.of(1))
    let entered = false
    const paused = failureOf(
      to.drainTo(() => {
        entered = true
        return new Promise(() => {})
      }),
    )
    await eventually(() => entered, 'the sink was never called')
    to.destroy(reason)
    assert.equal(await paused, reason)
    from.destroy(reason)
    assert(await idle)
  })

  both('without a reason the code is CONN_CLOSED', async (from) => {
    const failure = failureOf(from.read())
    from.destroy()
    assert.equal(((await failure) as { code?: string }).code, 'CONN_CLOSED')
  })

  both(
    'afterwards write() rejects and releases, read() rejects, closeWrite() and destroy() are harmless',
    async (from) => {
      assert.equal(from.gone, undefined)
      from.destroy()
      from.destroy(new Error('again'))
      assert(from.gone)
      await failureOf(from.write(Uint8Array.of(1)))
      let released = 0
      await failureOf(from.write(Uint8Array.of(1), () => released++))
      await eventually(() => released === 1, 'the release never came')
      await failureOf(from.read())
      await failureOf(from.drainTo(() => {}))
      await soon(
        Promise.resolve(from.closeWrite()).catch(() => {}),
        'closeWrite()',
      )
      from.destroy()
      assert.equal(released, 1)
    },
  )

  both('it is gone while nobody reads, and whoever asks later is told too', async (from) => {
    const reason = new Error('why')
    const gone = new Promise<Error>((resolve) => from.onGone(resolve))
    let taken = false
    from.onGone(() => {
      taken = true
    })()
    from.destroy(reason)
    assert.equal(await soon(gone, 'the end'), reason)
    assert.equal(taken, false)
    assert.equal(await soon(new Promise<Error>((resolve) => from.onGone(resolve)), 'the end, asked for again'), reason)
  })

  both('a reader at the other end is told', async (from, to) => {
    const reading = to.drainTo(() => {}).catch(() => {})
    await from.write(Uint8Array.of(1))
    from.destroy()
    await soon(reading, 'the end of drainTo()')
  })
}
