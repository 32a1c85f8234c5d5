import { Duplex } from 'node:stream'
import { expect, it } from 'vitest'
import { deferred } from '../../core/time/deferred.ts'
import { StreamConn } from './stream-conn.ts'

/** A connection whose bytes come by deliver(), as those of a TLS socket do, also when it was told to read no more. */
class Delivered extends StreamConn {
  protected override listen(): void {}

  give(text: string): boolean {
    return this.deliver(new TextEncoder().encode(text), false)
  }
}

it('keeps what comes while the sink is busy, in order, and past the end of the stream', async () => {
  const conn = new Delivered(new Duplex({ read() {}, write: (_bytes, _encoding, done) => done() }), {
    remote: '',
    local: '',
    layers: [],
    halfClose: 'native',
  })
  const got: string[] = []
  const busy = [deferred<void>(), deferred<void>()]
  const drained = conn.drainTo((lent) => {
    got.push(new TextDecoder().decode(lent))
    return busy[got.length - 1]?.promise
  })
  expect([conn.give('a'), conn.give('b'), conn.give('c')]).toEqual([false, false, false])
  expect(got).toEqual(['a'])
  conn.ended()
  conn.closed()
  busy[0]!.resolve()
  await expect.poll(() => got).toEqual(['a', 'b'])
  expect(conn.gone).toBeUndefined()
  busy[1]!.resolve()
  await drained
  expect(got).toEqual(['a', 'b', 'c'])
  await expect.poll(() => conn.gone).toBeDefined()
})
