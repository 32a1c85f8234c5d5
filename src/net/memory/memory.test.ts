import { describe, expect, it } from 'vitest'
import { memoryPair } from './memory.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('memoryPair', () => {
  it('overwrites what it lent', async () => {
    const [a, b] = memoryPair()
    const kept: Uint8Array[] = []
    const draining = b.drainTo((lent) => void kept.push(lent))
    a.write(bytes(1, 2, 3))
    a.closeWrite()
    await draining
    expect(kept).toEqual([bytes(0xdb, 0xdb, 0xdb)])
  })

  it('never overwrites a buffer that the writer gave with release', async () => {
    const [a, b] = memoryPair()
    const mine = bytes(1, 2, 3)
    a.write(mine, () => {})
    a.closeWrite()
    await b.drainTo(() => {})
    expect(mine).toEqual(bytes(1, 2, 3))
  })

  it('holds a buffer given with release until the other end takes it', async () => {
    const [a, b] = memoryPair()
    let released = 0
    a.write(bytes(1), () => released++)
    await turn()
    expect(released).toBe(0)
    await b.read()
    expect(released).toBe(1)
  })

  it('gives such buffers back when it is destroyed after an orderly end, and still delivers', async () => {
    const [a, b] = memoryPair()
    const mine = bytes(7)
    let released = 0
    a.write(mine, () => released++)
    a.closeWrite()
    a.destroy()
    expect(released).toBe(1)
    mine.fill(0)
    expect(await b.read()).toEqual(bytes(7))
    expect(await b.read()).toBeNull()
    expect(b.gone).toBeUndefined()
    await expect(b.write(bytes(1))).rejects.toMatchObject({ code: 'CONN_RESET' })
  })

  it('loses what was not taken when it is destroyed without an orderly end', async () => {
    const [a, b] = memoryPair()
    a.write(bytes(7))
    a.destroy()
    expect(b.gone).toBeDefined()
    await expect(b.read()).rejects.toMatchObject({ code: 'CONN_RESET' })
  })

  it('asks to wait above its high water, and no longer once that much was taken', async () => {
    const [a, b] = memoryPair({ highWater: 4 })
    expect(a.write(bytes(1, 2, 3, 4))).toBeUndefined()
    let waiting = true
    const wait = (a.write(bytes(5)) as Promise<void>).then(() => {
      waiting = false
    })
    await turn()
    expect(waiting).toBe(true)
    await b.read()
    await wait
  })

  it('tells the writer that waits of the reader’s end as a reset, and the reader its own reason', async () => {
    const [a, b] = memoryPair({ highWater: 1 })
    const wait = a.write(bytes(1, 2))
    const reason = new Error('mine')
    b.destroy(reason)
    await expect(wait).rejects.toMatchObject({ code: 'CONN_RESET' })
    await expect(b.read()).rejects.toBe(reason)
  })

  it('does not run the other end’s sink inside write()', async () => {
    const [a, b] = memoryPair()
    let called = false
    b.drainTo(() => {
      called = true
    }).catch(() => {})
    a.write(bytes(1))
    expect(called).toBe(false)
    await turn()
    expect(called).toBe(true)
    b.destroy()
  })

  it('refuses a second reader', async () => {
    const [, b] = memoryPair()
    const first = b.read()
    await expect(b.read()).rejects.toMatchObject({ code: 'PROTOCOL_MISUSE' })
    b.destroy()
    await expect(first).rejects.toMatchObject({ code: 'CONN_CLOSED' })
  })

  it('says of itself what it is told to', () => {
    const [a, b] = memoryPair({ info: [{ remote: '192.0.2.1:5' }, {}] })
    expect(a.info).toEqual({ remote: '192.0.2.1:5', local: '', layers: ['memory'], halfClose: 'native' })
    expect(b.info.remote).toBe('')
  })
})
