import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listenUnix } from './unix-listen.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmess-unix-'))
  path = join(folder, 'a.sock')
})
afterEach(() => rmSync(folder, { recursive: true }))

const greeter = (word: string) => () => createServer((socket) => socket.on('error', () => {}).end(word))

async function greeting(): Promise<string> {
  const socket = connect({ path })
  const [word] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return word.toString()
}

describe('listening on a unix socket', () => {
  it('leaves the file of another instance that has made it anew', async () => {
    const first = await listenUnix(greeter('first'), path)
    unlinkSync(path)
    const second = await listenUnix(greeter('second'), path)
    await first.close()
    expect(await greeting()).toBe('second')
    await second.close()
    expect(existsSync(path)).toBe(false)
  })

  it('makes a missing file again, with its mode, and leaves one that is there', async () => {
    const listening = await listenUnix(greeter('again'), path, 0o600)
    const { ino } = statSync(path)
    await listening.restore()
    expect(statSync(path).ino).toBe(ino)
    unlinkSync(path)
    await listening.restore()
    expect(await greeting()).toBe('again')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    await listening.close()
    expect(readdirSync(folder)).toEqual([])
  })

  it.each([
    0o000, 0o022, 0o077,
  ])('gives the file its mode under the umask %o, and leaves nothing else behind', async (umask) => {
    const former = process.umask(umask)
    try {
      const listening = await listenUnix(greeter('x'), path, 0o600)
      expect(statSync(path).mode & 0o777).toBe(0o600)
      expect(readdirSync(folder)).toEqual(['a.sock'])
      await listening.close()
    } finally {
      process.umask(former)
    }
  })

  it('takes a path of the greatest length', async () => {
    path = join(folder, 'x'.repeat((process.platform === 'linux' ? 107 : 103) - folder.length - 1))
    const below = join(folder, 'd'.repeat(path.length - folder.length - 3))
    mkdirSync(below)
    for (const at of [path, join(below, 'a')]) {
      path = at
      const listening = await listenUnix(greeter('long'), path, 0o600)
      expect(await greeting()).toBe('long')
      expect(statSync(path).mode & 0o777).toBe(0o600)
      await listening.close()
      expect(existsSync(path)).toBe(false)
    }
    expect(readdirSync(folder)).toEqual([basename(below)])
  })

  it('is refused where there is an ordinary file, somebody who listens, or no folder', async () => {
    writeFileSync(path, 'precious')
    await expect(listenUnix(greeter('x'), path)).rejects.toMatchObject({ code: 'EADDRINUSE' })
    rmSync(path)
    const other = await listenUnix(greeter('x'), path)
    await expect(listenUnix(greeter('x'), path)).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(readdirSync(folder)).toEqual(['a.sock'])
    await other.close()
    await expect(listenUnix(greeter('x'), join(folder, 'no', 'a'))).rejects.toMatchObject({ code: 'EACCES' })
  })
})
