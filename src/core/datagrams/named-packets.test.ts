import { describe, expect, it } from 'vitest'
import { memoryPackets } from '../../net/memory/memory-packets.ts'
import { formatAddress } from '../address.ts'
import { limits } from '../limits.ts'
import { namedPackets } from './named-packets.ts'

const text = (words: string) => new TextEncoder().encode(words)
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

function rig() {
  const [base, world] = memoryPackets()
  const asked: string[] = []
  const answers = new Map<string, { resolve(address: string): void; reject(error: Error): void }>()
  const conn = namedPackets(base, (name) => {
    asked.push(name)
    return new Promise((resolve, reject) => answers.set(name, { resolve, reject }))
  })
  const arrived: string[] = []
  world
    .drainTo((lent, to) => void arrived.push(`${Buffer.from(lent)} ${formatAddress(to)}`))
    .catch((error) => arrived.push(String(error.code)))
  return { conn, base, world, asked, answers, arrived }
}

describe('namedPackets', () => {
  it('lets datagrams wait for the name, in their order, and asks once', async () => {
    const { conn, asked, answers, arrived } = rig()
    conn.send(text('1'), { host: 'a.test', port: 1 })
    conn.send(text('2'), { host: 'a.test', port: 2 })
    conn.send(text('ip'), { host: '192.0.2.7', port: 7 })
    await settled()
    expect(arrived).toEqual(['ip 192.0.2.7:7'])
    answers.get('a.test')!.resolve('192.0.2.1')
    await settled()
    conn.send(text('3'), { host: 'a.test', port: 2 })
    conn.send(text('six'), { host: '2001:db8::1', port: 2 })
    await settled()
    expect(arrived.slice(1)).toEqual(['1 192.0.2.1:1', '2 192.0.2.1:2', '3 192.0.2.1:2', 'six [2001:db8::1]:2'])
    expect(asked).toEqual(['a.test'])
    expect(conn.dropped).toBe(0)
  })

  it('keeps the latest few that wait, and counts those that had to go', async () => {
    const { conn, answers, arrived } = rig()
    for (let i = 0; i < limits.packetsWaiting + 3; i++) {
      expect(conn.send(text(String(i)), { host: 'a.test', port: 1 })).toBe(true)
    }
    expect(conn.dropped).toBe(3)
    answers.get('a.test')!.resolve('192.0.2.1')
    await settled()
    expect(arrived).toHaveLength(limits.packetsWaiting)
    expect(arrived[0]).toBe('3 192.0.2.1:1')
  })

  it('drops what waits for a name that has no address, and asks again later', async () => {
    const { conn, asked, answers, arrived } = rig()
    conn.send(text('1'), { host: 'a.test', port: 1 })
    answers.get('a.test')!.reject(new Error('no such name'))
    await settled()
    expect(conn.dropped).toBe(1)
    conn.send(text('2'), { host: 'a.test', port: 1 })
    answers.get('a.test')!.resolve('192.0.2.1')
    await settled()
    expect(asked).toEqual(['a.test', 'a.test'])
    expect(arrived).toEqual(['2 192.0.2.1:1'])
  })

  it('drops what is too large before it waits', () => {
    const { conn } = rig()
    expect(conn.send(new Uint8Array(conn.info.largest + 1), { host: 'a.test', port: 1 })).toBe(false)
    expect(conn.dropped).toBe(1)
  })

  it('forgets the oldest name when there are too many', async () => {
    const { conn, asked, answers, arrived } = rig()
    conn.send(text('lost'), { host: 'first.test', port: 1 })
    for (let i = 0; i < limits.packetNames; i++) conn.send(text('x'), { host: `n${i}.test`, port: 1 })
    expect(conn.dropped).toBe(1)
    answers.get('first.test')!.resolve('192.0.2.1')
    await settled()
    conn.send(text('again'), { host: 'first.test', port: 1 })
    expect(asked.filter((name) => name === 'first.test')).toHaveLength(2)
    expect(arrived).toEqual([])
  })

  it('says that it ends when everything that waited is sent', async () => {
    const { conn, answers, arrived, world } = rig()
    conn.send(text('1'), { host: 'a.test', port: 1 })
    let closed = false
    const closing = Promise.resolve(conn.closeWrite()).then(() => {
      closed = true
    })
    expect(conn.send(text('2'), { host: 'a.test', port: 1 })).toBe(false)
    await settled()
    expect(closed).toBe(false)
    answers.get('a.test')!.resolve('192.0.2.1')
    await closing
    await settled()
    expect(arrived).toEqual(['1 192.0.2.1:1'])
    expect(world.gone).toBeUndefined()
  })

  it('counts what still waited when it is destroyed', async () => {
    const { conn, answers, arrived } = rig()
    conn.send(text('1'), { host: 'a.test', port: 1 })
    conn.destroy()
    expect(conn.dropped).toBe(1)
    answers.get('a.test')!.resolve('192.0.2.1')
    await settled()
    expect(arrived).toEqual(['CONN_RESET'])
    expect(conn.dropped).toBe(1)
  })
})
