import { once } from 'node:events'
import { createServer as createHttp } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2 } from 'node:http2'
import { connect, createServer, type Socket } from 'node:net'
import { beforeAll, describe, expect, it } from 'vitest'
import { unlessBun } from '../../test/support/runtime.ts'
import { memoryPair } from './memory/memory.ts'
import { currentPeer, onBehalfOf, type Peer, watchPeers } from './on-behalf.ts'
import { toDuplex } from './streams/duplex.ts'

beforeAll(watchPeers)

const peer = (remote: string): Peer => ({ remote, through: 'a test', destroy: () => {} })

describe('what happens on behalf of a connection', () => {
  it('is known in promises and timers, and nowhere else', async () => {
    const seen = await Promise.all(
      ['a', 'b'].map((name) =>
        onBehalfOf(peer(name), async () => {
          await new Promise((resolve) => setImmediate(resolve))
          return currentPeer()?.remote
        }),
      ),
    )
    expect(seen).toEqual(['a', 'b'])
    expect(currentPeer()).toBeUndefined()
  })

  unlessBun('no asynchronous context in node:http')('is known in every request of an HTTP connection', async () => {
    const seen: (string | undefined)[] = []
    const http = createHttp((_, response) => {
      seen.push(currentPeer()?.remote)
      response.end()
    })
    const door = createServer({ pauseOnConnect: true }, (socket: Socket) => {
      onBehalfOf(peer(String(socket.remotePort)), () => http.emit('connection', socket))
      socket.resume()
    })
    await once(door.listen(0, '127.0.0.1'), 'listening')
    const { port } = door.address() as { port: number }
    const sockets = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
    for (let i = 0; i < 2; i++) {
      for (const socket of sockets) {
        socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
        await once(socket, 'data')
      }
    }
    const [a, b] = sockets.map(({ localPort }) => String(localPort))
    expect(seen).toEqual([a, b, a, b])
    for (const socket of sockets) socket.destroy()
    door.close()
  })

  it('is known in every stream of an HTTP/2 connection over a Conn', async () => {
    const seen: (string | undefined)[] = []
    const server = createHttp2().on('stream', (stream) => {
      seen.push(currentPeer()?.remote)
      stream.respond({ ':status': 200 }, { endStream: true })
    })
    for (const name of ['a', 'b']) {
      const [near, far] = memoryPair()
      onBehalfOf(peer(name), () => server.emit('connection', toDuplex(far)))
      const session = connectHttp2('http://x', { createConnection: () => toDuplex(near) })
      for (let i = 0; i < 2; i++) await once(session.request({ ':path': '/' }).resume(), 'close')
      session.destroy()
    }
    expect(seen).toEqual(['a', 'a', 'b', 'b'])
  })
})
