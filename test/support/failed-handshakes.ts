/** Ways in which a TLS handshake can fail. Each uses one connection up. */
import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'

/** What a client sends first, taken from a real one. */
const hello = await new Promise<Buffer>((resolve) => {
  const carrier = new Duplex({ read() {}, write: (chunk: Buffer, _encoding, _done) => resolve(chunk) })
  connectTls({ socket: carrier, servername: 'localhost' }).on('error', () => {})
})

type Failure = (socket: Socket) => void

const alone: { readonly [name: string]: Failure } = {
  'FIN without a byte': (socket) => socket.end(),
  'RST without a byte': (socket) => socket.resetAndDestroy(),
  'half a hello, then FIN': (socket) => socket.end(hello.subarray(0, 100)),
  'half a hello, then RST': (socket) => socket.write(hello.subarray(0, 100), () => socket.resetAndDestroy()),
  'a hello, then FIN': (socket) => socket.end(hello),
  'a hello, then RST after the answer': (socket) => {
    socket.write(hello)
    socket.once('data', () => socket.resetAndDestroy())
  },
  'a hello, then garbage': (socket) => {
    socket.write(hello)
    socket.once('data', () => socket.write(Buffer.alloc(200, 0x17)))
  },
  garbage: (socket) => socket.write('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n'),
  'no protocol in common': (socket) => {
    connectTls({ socket, ALPNProtocols: ['smtp'], rejectUnauthorized: false }).on('error', () => {})
  },
}

/** Of these the server can tell only by waiting. */
const patient: { readonly [name: string]: Failure } = {
  silence: () => {},
}

export const failedHandshakes = Object.entries({ ...alone, ...patient })

/** Opens a connection, has the handshake fail, and resolves when the connection is gone, whoever ends it. */
export async function failHandshake(failure: Failure, to: { host: string; port: number }): Promise<void> {
  const socket = connect(to).on('error', () => {})
  socket.on('connect', () => {
    failure(socket)
    socket.resume()
  })
  await new Promise((resolve) => socket.on('close', resolve))
}
