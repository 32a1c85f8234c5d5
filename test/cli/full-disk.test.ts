import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { freePort, tempFolder } from './program.ts'

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })

it.runIf(process.platform === 'linux')('runs, and ends in order, when its messages go to a full disk', async () => {
  const port = await freePort()
  const file = join(tempFolder(), 'config.json')
  const inbounds = [{ listen: '127.0.0.1', port, protocol: 'socks' }]
  writeFileSync(file, JSON.stringify({ inbounds, outbounds: [{ protocol: 'freedom' }] }))
  const full = openSync('/dev/full', 'w')
  const child = spawn(process.execPath, [cli, 'run', '-c', file], { stdio: ['ignore', full, full] })
  closeSync(full)
  const ended = once(child, 'exit')
  await expect.poll(() => child.exitCode !== null || accepts(port), { timeout: 20_000 }).toBe(true)
  expect(child.exitCode).toBeNull()
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})
