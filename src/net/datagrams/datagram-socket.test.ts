import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { formatAddress } from '../../core/address.ts'
import { memoryPackets } from '../memory/memory-packets.ts'
import { DatagramSocket } from './datagram-socket.ts'

function rig() {
  const [near, far] = memoryPackets()
  const got: string[] = []
  far.drainTo((lent, to) => void got.push(`${formatAddress(to)} ${Buffer.from(lent)}`)).catch(() => got.push('gone'))
  const socket = new DatagramSocket(Promise.resolve(near))
  return { socket, near, far, got }
}
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('DatagramSocket', () => {
  it('sends in every form that node:dgram takes, also before it listens', async () => {
    const { socket, got } = rig()
    socket.send('early', 53, '192.0.2.1')
    await once(socket, 'listening')
    socket.send(Buffer.from('abc'), 53, '192.0.2.1')
    socket.send(new Uint8Array([0x61, 0x62, 0x63]), 1, 2, 53, 'name.example')
    socket.send(['a', Buffer.from('b')], 53)
    const sent = await new Promise((resolve) => socket.send('x', 7, '::1', (...args) => resolve(args)))
    await turn()
    expect(sent).toEqual([null, 1])
    expect(got).toEqual([
      '192.0.2.1:53 early',
      '192.0.2.1:53 abc',
      'name.example:53 bc',
      '127.0.0.1:53 ab',
      '[::1]:7 x',
    ])
  })

  it('says who has sent a message', async () => {
    const { socket, far } = rig()
    const messages: unknown[] = []
    socket.on('message', (message, source) => messages.push([String(message), source]))
    await new Promise<void>((resolve) => socket.bind(0, resolve))
    far.send(new TextEncoder().encode('hi'), { host: '192.0.2.9', port: 9 })
    far.send(new TextEncoder().encode('ho'), { host: '2001:db8::9', port: 9 })
    await turn()
    expect(messages).toEqual([
      ['hi', { address: '192.0.2.9', family: 'IPv4', port: 9, size: 2 }],
      ['ho', { address: '2001:db8::9', family: 'IPv6', port: 9, size: 2 }],
    ])
  })

  it('says what is too large, or no port, to the callback or as an event', async () => {
    const { socket, near } = rig()
    await once(socket, 'listening')
    const error = once(socket, 'error')
    socket.send(new Uint8Array(near.info.largest + 1), 53)
    expect((await error)[0]).toMatchObject({ code: 'DATAGRAM_TOO_LARGE' })
    const told = await new Promise((resolve) => socket.send('x', 0, '192.0.2.1', resolve))
    expect(told).toMatchObject({ code: 'ADDRESS_INVALID' })
  })

  it('closes once, and ends what it is over', async () => {
    const { socket, near, got } = rig()
    await once(socket, 'listening')
    const closed = once(socket, 'close')
    socket.close()
    await closed
    await turn()
    expect(near.gone).toBeDefined()
    expect(got).toEqual(['gone'])
    expect(() => socket.close()).toThrow('closed already')
    expect(() => socket.send('x', 1)).toThrow('closed')
  })

  it('shows how it ended, or that it could not be opened', async () => {
    const { socket, far } = rig()
    await once(socket, 'listening')
    const events: string[] = []
    socket.on('error', (error) => events.push(error.message)).on('close', () => events.push('close'))
    far.destroy()
    await turn()
    expect(events).toHaveLength(2)
    expect(events[1]).toBe('close')
    const failing = new DatagramSocket(Promise.reject(new Error('no way')))
    expect((await once(failing, 'error'))[0]).toMatchObject({ message: 'no way' })
  })

  it('says where it is as far as that is known', async () => {
    const [near] = memoryPackets({ info: [{ local: '127.0.0.1:4000' }, {}] })
    const socket = new DatagramSocket(Promise.resolve(near))
    expect(socket.address()).toEqual({ address: '0.0.0.0', family: 'IPv4', port: 0 })
    await once(socket, 'listening')
    expect(socket.address()).toEqual({ address: '127.0.0.1', family: 'IPv4', port: 4000 })
    expect(socket.ref().unref()).toBe(socket)
  })
})
