// What the costs are counted of. One step at a time, each awaited: the same calls in the same order, whatever else the machine does.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/** Sends everything back. */
export async function startEcho() {
  const server = createServer({ noDelay: true }, (socket) => socket.on('error', () => {}).pipe(socket))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return server
}

/** Connections one after the other, 100 bytes there and back on each. */
export async function connections(port, count) {
  for (let i = 0; i < count; i++) {
    const socket = await open(port)
    await echoed(socket, Buffer.alloc(100, `${i} `))
    socket.end()
    await once(socket.resume(), 'close')
  }
}

/** Blocks that one read takes whole, there and back, one at a time on one connection. */
export async function blocks(port, count, bytes) {
  const socket = await open(port)
  const block = Buffer.alloc(bytes, 'block')
  for (let i = 0; i < count; i++) await echoed(socket, block)
  socket.destroy()
}

async function open(port) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
}

function echoed(socket, bytes) {
  return new Promise((resolve, reject) => {
    let missing = bytes.length
    const finish = (settle, value) => {
      for (const [event, listener] of listeners) socket.off(event, listener)
      settle(value)
    }
    const took = (some) => {
      missing -= some.length
      if (missing <= 0) finish(resolve)
    }
    const listeners = [
      ['data', took],
      ['close', () => finish(reject, new Error('a connection ended before its echo'))],
    ]
    for (const [event, listener] of listeners) socket.on(event, listener)
    socket.write(bytes)
  })
}
