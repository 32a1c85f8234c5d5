import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Client } from '../../src/index.ts'
import { networks, withNginx } from './rig/behind-nginx.ts'
import { certificateFile } from './rig/configs.ts'
import { hasNginx } from './rig/nginx.ts'

/** Sends everything, and reads as much. */
async function echoed(client: Client, port: number, bytes: Buffer): Promise<Buffer> {
  const stream = await client.connect({ host: '127.0.0.1', port })
  stream.write(bytes)
  const parts: Buffer[] = []
  let got = 0
  for await (const part of stream) {
    parts.push(part as Buffer)
    got += (part as Buffer).length
    if (got >= bytes.length) break
  }
  stream.destroy()
  return Buffer.concat(parts)
}

const curl = async (port: number, path: string): Promise<string> => {
  const url = `https://localhost:${port}${path}`
  const args = [
    '--silent',
    '--include',
    '--max-time',
    '10',
    '--cacert',
    certificateFile,
    '--resolve',
    `localhost:${port}:127.0.0.1`,
    url,
  ]
  return (await promisify(execFile)('curl', args)).stdout
}

describe.skipIf(!hasNginx)('behind nginx, as documented', () => {
  it('all transports carry bytes both ways, know the client, and leave the site alone', async () => {
    const echo = createTcpServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
    await once(echo, 'listening')
    const { port: target } = echo.address() as AddressInfo
    const bytes = randomBytes(1_500_000) // more than nginx takes for a request unless it is told
    await withNginx(async ({ port, client, sessions, rejected }) => {
      for (const [i, network] of networks.entries()) {
        const from = `127.0.0.${i + 7}`
        await using one = client(network, { from })
        expect(Buffer.compare(await echoed(one, target, bytes), bytes), network).toBe(0)
        expect(sessions.at(-1)?.source, network).toBe(`${from}:0`)
      }
      expect(await curl(port, '/')).toMatch(/^HTTP\/2 200[\s\S]*<h1>hi<\/h1>/)
      // Who asks for the path of a transport without an upgrade meets the same server as everywhere else.
      const nothing = await curl(port, '/nix')
      const path = await curl(port, '/ray')
      const undated = (text: string) => text.replace(/date: .*/, '')
      expect(undated(path)).toBe(undated(nothing))
      expect(rejected).toEqual([expect.stringContaining('"/ray"')])
    })
    echo.close()
  })
})
