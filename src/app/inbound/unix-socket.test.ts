import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { unlessBun } from '../../../test/support/runtime.ts'
import { loadConfigValue } from '../../config/load.ts'
import { formatAddress } from '../../core/address.ts'
import { systemEnv } from '../instance/env.ts'
import { Instance } from '../instance/instance.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmess-unix-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function instanceOn(listen: string): Instance {
  const { config } = loadConfigValue({
    inbounds: [{ listen, protocol: 'socks' }],
    outbounds: [{ protocol: 'freedom' }],
  })
  return new Instance(config!, { env: systemEnv() })
}

describe('an inbound on a unix socket', () => {
  it('makes the file with the mode asked for, and removes it', async () => {
    const path = join(folder, 'a.sock')
    const instance = instanceOn(`${path},0606`)
    await instance.start()
    expect(statSync(path).mode & 0o777).toBe(0o606)
    await instance.stop(0)
    await expect.poll(() => existsSync(path)).toBe(false)
  })

  it('takes the place of a file that a dead process left', async () => {
    const path = join(folder, 'stale.sock')
    const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
    spawnSync('node', ['-e', program], { timeout: 10_000 })
    expect(existsSync(path)).toBe(true)
    const instance = instanceOn(path)
    await instance.start()
    expect(instance.listening).toHaveLength(1)
    await instance.stop(0)
  })

  it('leaves a file alone that somebody answers on', async () => {
    const path = join(folder, 'live.sock')
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(path, resolve))
    await expect(instanceOn(path).start()).rejects.toMatchObject({ code: 'LISTEN_FAILED' })
    expect(existsSync(path)).toBe(true)
    await new Promise((resolve) => other.close(resolve))
  })

  it('does not touch an ordinary file of that name', async () => {
    const path = join(folder, 'precious.json')
    writeFileSync(path, '{}')
    await expect(instanceOn(path).start()).rejects.toMatchObject({ code: 'LISTEN_FAILED' })
    expect(existsSync(path)).toBe(true)
  })

  unlessBun('abstract names')('listens on abstract names, padded ones too, and prints them short', async () => {
    const name = `vmess-${process.pid}-${Date.now()}`
    for (const listen of [`@${name}`, `@@${name}`]) {
      const instance = instanceOn(listen)
      await instance.start()
      expect(formatAddress(instance.listening[0]!.address)).toBe(`unix:@${name}`)
      await instance.stop(0)
    }
  })
})
