import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { listenError } from './errors.ts'

const denied = Object.assign(new Error('no'), { code: 'EACCES' })

it('says of a socket that cannot be made that its folder must be there, and says nothing of low ports', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vmess-net-'))
  const path = join(folder, 'missing', 'x.sock')
  const error = await new Promise<Error>((resolve) => createServer().once('error', resolve).listen({ path }))
  const { code, hint } = listenError(error, `unix:${path}`)
  expect(code).toBe('LISTEN_FAILED')
  expect(hint).toMatch(/folder .* must exist/)
  expect(listenError(denied, '127.0.0.1:80').hint).toMatch(/1024/)
  rmSync(folder, { recursive: true })
})
