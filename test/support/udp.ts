/** Real UDP sockets on the loopback: a target that says everything back, and clients. */

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { PacketConn } from '../../src/core/datagrams/packet.ts'

export interface UdpSocketAt {
  readonly socket: Socket
  readonly port: number
  /** The next datagram that has come. Rejects after two seconds. */
  next(): Promise<{ bytes: Buffer; port: number }>
  send(bytes: Uint8Array, port: number, host?: string): void
  close(): void
}

export async function udpSocket(host = '127.0.0.1'): Promise<UdpSocketAt> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  const came: { bytes: Buffer; port: number }[] = []
  const waiting: ((one: { bytes: Buffer; port: number }) => void)[] = []
  socket.on('message', (bytes, { port }) => {
    const one = { bytes, port }
    const next = waiting.shift()
    if (next) next(one)
    else came.push(one)
  })
  socket.bind(0, host)
  await once(socket, 'listening')
  return {
    socket,
    port: socket.address().port,
    next: () =>
      new Promise((resolve, reject) => {
        const one = came.shift()
        if (one) return resolve(one)
        const timer = setTimeout(() => reject(new Error('no datagram has come within 2 s')), 2_000)
        waiting.push((one) => {
          clearTimeout(timer)
          resolve(one)
        })
      }),
    send: (bytes, port, to = host) => socket.send(bytes, port, to),
    close: () => socket.close(),
  }
}

/** Says every datagram back to where it came from. */
export async function udpEcho(host = '127.0.0.1'): Promise<{ host: string; port: number; close(): void }> {
  const { socket, port, close } = await udpSocket(host)
  socket.on('message', (bytes, { port, address }) => socket.send(bytes, port, address))
  return { host, port, close }
}

/** Bytes that tell a datagram of this size from every other. */
export const pattern = (size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, at) => (at * 31 + size * 7) & 0xff)

/** What comes on a PacketConn, one by one; each with the address that it came with, as `host:port`. */
export function reading(conn: PacketConn): () => Promise<{ bytes: Uint8Array; from: string }> {
  const came: { bytes: Uint8Array; from: string }[] = []
  let wake = (): void => {}
  let over = false
  conn
    .drainTo((lent, { host, port }) => {
      came.push({ bytes: new Uint8Array(lent), from: `${host}:${port}` })
      wake()
    })
    .catch(() => {})
    .then(() => {
      over = true
      wake()
    })
  return async () => {
    const giveUp = AbortSignal.timeout(2_000)
    while (came.length === 0) {
      if (over || giveUp.aborted) throw conn.gone ?? new Error('no datagram has come')
      await new Promise<void>((resolve) => {
        wake = resolve
        giveUp.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    return came.shift()!
  }
}
