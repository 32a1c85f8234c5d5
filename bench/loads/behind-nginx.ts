/**
 * node bench/load.mjs behind-nginx: every transport behind Debian's nginx with TLS, by the blocks of docs/behind-a-web-server.md:
 * so many bytes up and down, and a silence with heartbeats after which bytes still pass.
 */

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Client, DuplexSocket } from '../../src/index.ts'
import { networks, withNginx } from '../../test/interop/rig/behind-nginx.ts'

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '50' },
    idle: { type: 'string', default: '0' },
    heartbeat: { type: 'string', default: '30' },
    help: { type: 'boolean', default: false },
  },
})

/** Bytes of a piece, which is sent again and again. */
const wide = 1 << 16

if (values.help) console.log('node bench/load.mjs behind-nginx [--size 50 (MB)] [--idle 600 (s)] [--heartbeat 30 (s)]')
else await main(Number(values.size) * 1_000_000, Number(values.idle), Number(values.heartbeat))

async function main(bytes: number, idleS: number, heartbeatS: number): Promise<void> {
  const echo = createTcpServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const { port } = echo.address() as AddressInfo
  await withNginx(async ({ client }) => {
    const all = networks.map(async (network) => {
      await using one = client(network, { heartbeatS })
      const seconds = await echoed(one, port, bytes)
      console.log(`${network}: ${bytes / 1e6} MB up and down at once in ${seconds.toFixed(1)} s`)
      if (idleS === 0) return
      const stream = await one.connect({ host: '127.0.0.1', port })
      await word(stream)
      await sleep(idleS * 1000)
      await word(stream)
      stream.destroy()
      console.log(`${network}: a word after ${idleS} s of silence`)
    })
    await Promise.all(all)
  })
  echo.close()
}

async function word(stream: DuplexSocket): Promise<void> {
  const answer = once(stream, 'data')
  stream.write('hello')
  if (String((await answer)[0]) !== 'hello') throw new Error('another word came back')
}

async function echoed(client: Client, port: number, bytes: number): Promise<number> {
  const piece = randomBytes(wide)
  const stream = await client.connect({ host: '127.0.0.1', port })
  const started = performance.now()
  const sending = (async () => {
    for (let sent = 0; sent < bytes; sent += wide) if (!stream.write(piece)) await once(stream, 'drain')
  })()
  const whole = Math.ceil(bytes / wide) * wide
  let got = 0
  for await (const part of stream) {
    const chunk = part as Buffer
    for (let i = 0; i < chunk.length; ) {
      const from = got % wide
      const take = Math.min(wide - from, chunk.length - i)
      if (piece.compare(chunk, i, i + take, from, from + take) !== 0) throw new Error(`wrong bytes at ${got}`)
      got += take
      i += take
    }
    if (got >= whole) break
  }
  await sending
  stream.destroy()
  return (performance.now() - started) / 1000
}
