import { describe, expect, it } from 'vitest'
import { type Address, formatAddress } from '../../core/address.ts'
import type { Ground } from '../../core/ground.ts'
import { forever } from '../../core/lifetime.ts'
import type { Session } from '../../core/session.ts'
import { memoryPackets } from '../../net/memory/memory-packets.ts'
import { ApiDoor } from './api-door.ts'

const session: Session = {
  id: 1,
  inboundTag: '',
  source: '192.0.2.9:1',
  network: 'udp',
  target: { host: 'example.com', port: 53 },
  user: { email: '', level: 0 },
  startedAt: 0,
}

function rig() {
  const [conn, world] = memoryPackets()
  const arrived: string[] = []
  world.drainTo((_lent, to) => void arrived.push(formatAddress(to))).catch(() => {})
  const ground: Ground = {
    tcp: { dial: () => Promise.reject(new Error('not here')) },
    udp: { open: async () => conn },
    resolve: async () => [],
    isOwn: (host) => host === '127.0.0.1' || host === '192.0.2.1',
  }
  const door = new ApiDoor({ doors: () => [], inbounds: () => [] })
  door.listening({ host: '127.0.0.1', port: 8080 })
  return { udp: door.guard(ground).udp, arrived }
}

describe('the guard of the API, for datagrams', () => {
  it('drops and counts those to its port on this machine, and no others', async () => {
    const { udp, arrived } = rig()
    const conn = await udp.open({ until: forever, session })
    const own: Address[] = ['127.0.0.1', '192.0.2.1'].map((host) => ({ host, port: 8080 }))
    for (const to of own) expect(conn.send(Uint8Array.of(1), to)).toBe(false)
    expect(conn.dropped).toBe(2)
    expect(conn.send(Uint8Array.of(1), { host: '127.0.0.1', port: 8081 })).toBe(true)
    expect(conn.send(Uint8Array.of(1), { host: '192.0.2.2', port: 8080 })).toBe(true)
    await new Promise(setImmediate)
    expect(arrived).toEqual(['127.0.0.1:8081', '192.0.2.2:8080'])
  })

  it('lets this program itself send there', async () => {
    const { udp } = rig()
    const conn = await udp.open({ until: forever })
    expect(conn.send(Uint8Array.of(1), { host: '127.0.0.1', port: 8080 })).toBe(true)
  })
})
