import { mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openTarget } from './target.ts'

let folder: string
let path: string
let told: string[]
const streams = { stdout: { write() {} }, stderr: { write: (text: string) => told.push(text) } }

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmess-log-'))
  path = join(folder, 'error.log')
  told = []
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A disk with room for so many bytes. */
function disk(room: number) {
  const it = { room }
  const write = (fd: number, bytes: Uint8Array, offset: number): number => {
    if (it.room === 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    const written = writeSync(fd, bytes, offset, Math.min(it.room, bytes.length - offset))
    it.room -= written
    return written
  }
  return Object.assign(it, { write })
}

it('a file that cannot be written is told once, is tried again with every line, and says what is missing', async () => {
  const full = disk(9)
  const target = openTarget(path, streams, full.write)!
  for (const line of ['first\n', 'second\n', 'third\n', 'fourth\n']) target.write(line)
  expect(readFileSync(path, 'utf8')).toBe('first\nsec')
  expect(told).toEqual([expect.stringContaining('ENOSPC')])
  full.room = 1000
  target.write('fifth\n')
  expect(readFileSync(path, 'utf8')).toBe(
    'first\nsecond\n2 lines are missing here: the file could not be written\nfifth\n',
  )
  full.room = 0
  target.write('sixth\n')
  expect(told).toHaveLength(2)
  await target.close()
  target.write('after the end\n')
})

it('a device that is always full neither throws nor keeps the end waiting', async () => {
  const target = openTarget('/dev/full', streams)!
  for (let i = 0; i < 3; i++) target.write('line\n')
  await target.close()
  expect(told).toHaveLength(1)
})
