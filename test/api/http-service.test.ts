import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createHttpApi } from '../../src/api/http/server.ts'
import { systemClock, systemEnv } from '../../src/app/instance/env.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { startHttpApi } from '../../src/app/instance/services.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import { silentLogger } from '../../src/core/env.ts'
import { fakeControl, token } from './http-tools.ts'

const configOf = (listen: string) =>
  loadConfigValue({ control: { listen, token }, outbounds: [{ protocol: 'freedom' }] }).config!

async function start(listen: string) {
  const config = configOf(listen)
  const env = systemEnv()
  return (await startHttpApi(config, { instance: new Instance(config, { env }), control: fakeControl(), env }))!
}

it('starts from the configuration, and is gone after close()', async () => {
  const free = createServer()
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve))
  const { port } = free.address() as AddressInfo
  await expect(start(`127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'LISTEN_FAILED' })
  await new Promise((resolve) => free.close(resolve))

  const services = await start(`127.0.0.1:${port}`)
  const headers = { authorization: `Bearer ${token}` }
  expect((await fetch(`http://127.0.0.1:${port}/v1/status`, { headers })).status).toBe(200)
  const events = await fetch(`http://127.0.0.1:${port}/v1/events`, { headers })
  await services.close()
  expect(await events.text()).toContain('retry:')
  await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow()
})

it('listens on a unix socket', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vmess-control-'))
  const socketPath = join(folder, 'control.sock')
  const api = await createHttpApi({ control: fakeControl(), token, clock: systemClock, log: silentLogger })
  const listening = await api.listen({ host: '', port: 0, path: socketPath })
  const status = await new Promise((resolve, reject) => {
    const headers = { host: 'localhost', authorization: `Bearer ${token}` }
    const asked = request({ socketPath, path: '/v1/status', headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    asked.on('error', reject)
    asked.end()
  })
  expect(status).toBe(200)
  await listening.close()
  expect(readdirSync(folder)).toEqual([])
  rmSync(folder, { recursive: true })
})
