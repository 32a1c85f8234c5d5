import { describe, expect, it } from 'vitest'
import { memoryPair } from '../../net/memory/memory.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { peek } from './peek.ts'

const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const text = (read: Uint8Array | null) => read && Buffer.from(read).toString()

describe('peek', () => {
  it('reads until it has seen enough, and loses nothing', async () => {
    const [client, near] = memoryPair()
    const peeking = peek(near, (seen) => seen.length >= 4, 100, fakeClock(0))
    await client.write(bytes('ab'))
    await settle()
    await client.write(bytes('cdef'))
    const conn = await peeking
    expect(text(await conn.read())).toBe('abcdef')
    await client.write(bytes('g'))
    expect(text(await conn.read())).toBe('g')
  })

  it.each([
    'read',
    'drainTo',
  ] as const)('gives up after its time, and what comes later is there for %s()', async (how) => {
    const [client, near] = memoryPair()
    const clock = fakeClock(0)
    const peeking = peek(near, (seen) => seen.length >= 4, 100, clock)
    await client.write(bytes('ab'))
    await settle()
    clock.advance(100)
    const conn = await peeking
    await client.write(bytes('cd'))
    await client.closeWrite()
    let all = ''
    if (how === 'drainTo') {
      await conn.drainTo((lent) => {
        all += text(lent)
      })
    } else for (let read = await conn.read(); read; read = await conn.read()) all += text(read)
    expect(all).toBe('abcd')
    expect(clock.pending).toBe(0)
  })

  it('leaves an end, orderly or not, to whoever reads on', async () => {
    const [client, near] = memoryPair()
    await client.write(bytes('a'))
    await client.closeWrite()
    const conn = await peek(near, () => false, 100, fakeClock(0))
    expect([text(await conn.read()), await conn.read()]).toEqual(['a', null])
    const [other, broken] = memoryPair()
    other.destroy()
    const peeked = await peek(broken, () => false, 100, fakeClock(0))
    await expect(peeked.read()).rejects.toMatchObject({ code: 'CONN_RESET' })
  })
})
