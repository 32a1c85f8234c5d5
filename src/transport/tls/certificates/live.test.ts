import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../../core/env.ts'
import { limits } from '../../../core/limits.ts'
import { fakeClock } from '../../../testing/fakes.ts'
import { Live } from './live.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'live-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** What "files" say at the moment; `load` throws for the word bad. */
function rig(say: { text: string }, paths = [join(folder, 'file')]) {
  const clock = fakeClock(0)
  const [warned, told] = [[] as string[], [] as string[]]
  const log = {
    ...silentLogger,
    warn: (_: object, text: string) => warned.push(text),
    info: (_: object, text: string) => told.push(text),
  }
  let loads = 0
  const load = (): string => {
    loads++
    if (say.text === 'bad') throw new Error('it is bad')
    return say.text
  }
  const live = new Live({ load, paths }, { clock, log })
  const look = async () => {
    clock.advance(limits.fileLookEveryMs)
    await live.look()
  }
  return { live, look, clock, warned, told, loads: () => loads }
}

const write = (text: string) => writeFileSync(join(folder, 'file'), text)

describe('what was made from files', () => {
  it('stays as long as they do, and costs a look a second at most', async () => {
    write('one')
    const { live, look, clock, loads } = rig({ text: 'one' })
    expect(live.look()).toBeUndefined()
    await look()
    expect(live.look()).toBeUndefined()
    await look()
    expect([live.current, loads(), clock.pending]).toEqual(['one', 1, 0])
  })

  it('is made anew when one of them was written anew', async () => {
    write('one')
    const say = { text: 'one' }
    const { live, look, told } = rig(say)
    write('two!')
    say.text = 'two!'
    await look()
    expect([live.current, told.length]).toEqual(['two!', 1])
  })

  it('is made anew when a symbolic link was turned, of the file or of a folder before it', async () => {
    for (const name of ['a', 'b']) {
      mkdirSync(join(folder, name))
      writeFileSync(join(folder, name, 'file'), 'same')
    }
    symlinkSync('a', join(folder, 'now'))
    const say = { text: 'one' }
    const { live, look } = rig(say, [join(folder, 'now', 'file')])
    symlinkSync('b', join(folder, 'next'))
    renameSync(join(folder, 'next'), join(folder, 'now'))
    say.text = 'two'
    await look()
    expect(live.current).toBe('two')
  })

  it('stays when they cannot be used, which is told once they have been so for a second', async () => {
    write('one')
    const say = { text: 'one' }
    const { live, look, warned, loads } = rig(say)
    write('half')
    say.text = 'bad'
    await look()
    expect([live.current, warned]).toEqual(['one', []])
    await look()
    await look()
    await look()
    expect(live.current).toBe('one')
    expect(warned).toEqual([expect.stringContaining('what was read before stays: it is bad')])
    expect(loads()).toBe(3)
    write('whole')
    say.text = 'whole'
    await look()
    expect(live.current).toBe('whole')
  })

  it('stays while a file is away', async () => {
    write('one')
    const say = { text: 'one' }
    const { live, look, warned } = rig(say)
    rmSync(join(folder, 'file'))
    say.text = 'bad'
    await look()
    write('two')
    say.text = 'two'
    await look()
    expect([live.current, warned]).toEqual(['two', []])
  })

  it('is waited for no longer than a little', async () => {
    write('one')
    const { live, clock } = rig({ text: 'one' })
    clock.advance(limits.fileLookEveryMs)
    const waited = live.look()
    clock.advance(limits.fileLookMs)
    await waited
    expect(live.current).toBe('one')
  })
})
