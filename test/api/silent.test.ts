/** Connections that say nothing, and the sockets of the APIs. */
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync, unlinkSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createHttpApi } from '../../src/api/http/server.ts'
import { systemClock } from '../../src/app/instance/env.ts'
import { silentLogger } from '../../src/core/env.ts'
import { limits } from '../../src/core/limits.ts'
import { createServer } from '../../src/index.ts'
import { fakeControl, token } from './http-tools.ts'

function health(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ socketPath: path, path: '/health', agent: false }, (answer) => resolve(answer.resume().statusCode ?? 0))
      .on('error', reject)
      .end()
  })
}

describe('the control API', () => {
  it('answers while it has as many silent connections as it may, and those that ask slowly', async () => {
    const api = await createHttpApi({ control: fakeControl(), token, clock: systemClock, log: silentLogger })
    const listening = await api.listen({ host: '127.0.0.1', port: 0 })
    const { host, port } = listening.address
    const come = async (text: string) => {
      const socket = connect(port, host).on('error', () => {})
      socket.write(text)
      await once(socket, 'connect')
      return socket
    }
    const slow = 'POST /health HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n1\r\n'
    const crowd = []
    for (let i = 0; i < limits.controlConnections + 20; i++) crowd.push(await come(i % 2 ? slow : ''))
    const answer = await fetch(`http://127.0.0.1:${port}/health`)
    expect(answer.status).toBe(200)
    for (const socket of crowd) socket.destroy()
    await listening.close()
  })
})

describe('unix sockets of a server', () => {
  it('are for their owner alone, and a reload makes missing ones again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vmess-api-'))
    const at = (name: string) => join(folder, name)
    const config = {
      api: { tag: 'api', services: ['StatsService'], listen: at('grpc.sock') },
      control: { listen: at('control.sock'), token },
      inbounds: [{ listen: at('in.sock'), protocol: 'socks' as const }],
      outbounds: [{ protocol: 'freedom' as const }],
    }
    const former = process.umask(0)
    const server = createServer(config)
    await server.listen()
    process.umask(former)
    const files = ['grpc.sock', 'control.sock', 'in.sock'].map(at)
    const modes = () => files.map((file) => statSync(file).mode & 0o777)
    expect(modes()).toEqual([0o600, 0o600, 0o777])
    for (const file of files) unlinkSync(file)
    await server.reload(config)
    expect(modes().slice(0, 2)).toEqual([0o600, 0o600])
    expect(await health(at('control.sock'))).toBe(200)
    await server.close(0)
    expect(files.map((file) => existsSync(file))).toEqual([false, false, false])
    rmSync(folder, { recursive: true })
  })
})
