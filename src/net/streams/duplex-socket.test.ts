import { describe, expect, it } from 'vitest'
import type { Conn } from '../../core/conn.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { memoryPair } from '../memory/memory.ts'
import { type DuplexSocket, toSocket } from './duplex-socket.ts'

function pair() {
  const clock = fakeClock(0)
  const [near, far] = memoryPair()
  return { clock, socket: toSocket(near, clock), far }
}

function timeoutsOf(socket: DuplexSocket): () => number {
  let count = 0
  socket.on('timeout', () => count++)
  return () => count
}

describe('a stream that looks like a socket', () => {
  it('says when no byte has passed for so long, and again', async () => {
    const { clock, socket, far } = pair()
    const timeouts = timeoutsOf(socket)
    let once = 0
    expect(socket.setTimeout(1000, () => once++)).toBe(socket)
    expect(socket.timeout).toBe(1000)
    clock.advance(999)
    socket.write('up')
    clock.advance(999)
    await Promise.all([far.write(Buffer.from('down')), new Promise((resolve) => socket.once('data', resolve))])
    clock.advance(999)
    expect(timeouts()).toBe(0)
    clock.advance(1)
    expect([timeouts(), once]).toEqual([1, 1])
    clock.advance(1000)
    expect([timeouts(), once]).toEqual([2, 1])
    expect(socket.destroyed).toBe(false)
  })

  it('says nothing any more after 0, and when it is destroyed', () => {
    const { clock, socket } = pair()
    const timeouts = timeoutsOf(socket)
    socket.setTimeout(1000).setTimeout(0)
    expect([socket.timeout, clock.pending]).toEqual([undefined, 0])
    socket.setTimeout(1000)
    socket.destroy()
    clock.advance(5000)
    expect([timeouts(), clock.pending]).toEqual([0, 0])
  })

  it('knows addresses, and in which state it is', async () => {
    const clock = fakeClock(0)
    const [near] = memoryPair()
    const conn = new Proxy<Conn>(near, {
      get: (target, key) => {
        if (key === 'info') return { ...near.info, remote: '[2001:db8::1]:443', local: '192.0.2.1:5000' }
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const socket = toSocket(conn, clock)
    expect([socket.remoteAddress, socket.remotePort, socket.remoteFamily]).toEqual(['2001:db8::1', 443, 'IPv6'])
    expect(socket.address()).toEqual({ address: '192.0.2.1', port: 5000, family: 'IPv4' })
    expect([socket.connecting, socket.pending, socket.readyState]).toEqual([false, false, 'open'])
    socket.end()
    expect(socket.readyState).toBe('readOnly')
    socket.destroy()
    expect(socket.readyState).toBe('closed')
  })

  it('destroys itself soon: when what was written is out', async () => {
    const { socket, far } = pair()
    const received: string[] = []
    const drained = far.drainTo((lent) => void received.push(Buffer.from(lent).toString())).catch(() => {})
    socket.write('last ')
    socket.write('words')
    socket.destroySoon()
    await new Promise((resolve) => socket.once('close', resolve))
    await drained
    expect(received.join('')).toBe('last words')
    expect(socket.bytesWritten).toBe(10)
  })
})
