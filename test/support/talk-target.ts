import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Address } from '../../src/core/address.ts'

export interface TalkTarget {
  readonly address: Address
  /** What it has of its clients now, and how many came; set `paused` to stop it from reading. */
  readonly sockets: Set<Socket>
  accepted: number
  received: number
  paused: boolean
  close(): Promise<void>
}

/** Says "h" to everybody, sends as fast as it can to who says "d", and says everything else back. */
export async function talkTarget(): Promise<TalkTarget> {
  const block = Buffer.alloc(65_536)
  const listener = createServer({ noDelay: true }, (socket) => {
    target.accepted++
    target.sockets.add(socket)
    socket.on('error', () => {}).on('close', () => target.sockets.delete(socket))
    socket.write('h')
    let sending = false
    const send = () => {
      while (!socket.destroyed && socket.write(block));
    }
    socket.on('drain', () => sending && send())
    socket.on('data', (data) => {
      target.received += data.length
      if (target.paused) socket.pause()
      else if (data.toString() === 'd') {
        sending = true
        send()
      } else socket.write(data)
    })
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const target: TalkTarget = {
    address: { host: '127.0.0.1', port: (listener.address() as AddressInfo).port },
    sockets: new Set<Socket>(),
    accepted: 0,
    received: 0,
    paused: false,
    async close() {
      for (const socket of target.sockets) socket.destroy()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
  return target
}
