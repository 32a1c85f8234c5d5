import { describe, expect, it } from 'vitest'
import { formatAddress } from '../../core/address.ts'
import type { ConnInfo } from '../../core/conn.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import type { Dialer } from '../../core/dialer.ts'
import type { Ground } from '../../core/ground.ts'
import { forever } from '../../core/lifetime.ts'
import type { Session } from '../../core/session.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { memoryPackets } from '../../net/memory/memory-packets.ts'
import { LoopGuard } from './loop-guard.ts'

let sessions = 0
const newSession = (): Session => ({
  id: ++sessions,
  inboundTag: '',
  source: '',
  network: 'tcp',
  target: { host: 'example.com', port: 80 },
  user: { email: '', level: 0 },
  startedAt: 0,
})

function connWith(local: string, remote: string) {
  const info: ConnInfo = { local, remote, layers: ['tcp'], halfClose: 'native' }
  const [conn] = memoryPair({ info: [info, {}] })
  return conn
}

/** A dialer whose connections leave from `local`. */
const dialerFrom = (local: string): Dialer => ({ dial: async (to) => connWith(local, `${to.host}:${to.port}`) })

/** The ground that such a dialer is part of, and the datagrams that leave it. */
function groundOf(tcp: Dialer, local = '0.0.0.0:50000'): Ground & { conn: PacketConn; sent: string[] } {
  const sent: string[] = []
  const [conn, world] = memoryPackets({ info: [{ local, layers: ['udp'] }, {}] })
  world.drainTo((lent, to) => void sent.push(`${lent.length} ${formatAddress(to)}`)).catch(() => {})
  const isOwn = (host: string) => host.startsWith('127.') || host === '192.0.2.1'
  return { tcp, udp: { open: async () => conn }, resolve: async () => [], isOwn, conn, sent }
}

const watched = (guard: LoopGuard, tcp: Dialer): Dialer => guard.watch(groundOf(tcp)).tcp

/** A client's datagrams as an inbound has them. */
const clientAt = (remote: string): PacketConn => memoryPackets({ info: [{ remote, layers: ['udp'] }, {}] })[0]

const until = forever

describe('LoopGuard', () => {
  it('lets a flow pass an inbound once, and recognises it when it comes back', async () => {
    const guard = new LoopGuard()
    guard.listening('0.0.0.0:10086')
    const first = newSession()
    expect(guard.entered(connWith('127.0.0.1:10086', '127.0.0.1:40000'), first, 'inbounds[0]')).toBe(true)
    await watched(guard, dialerFrom('127.0.0.1:50000')).dial(
      { host: '127.0.0.1', port: 10086 },
      { until, session: first },
    )
    expect(guard.entered(connWith('127.0.0.1:10086', '127.0.0.1:50000'), newSession(), 'inbounds[0]')).toBe(false)
  })

  it('follows a flow through several inbounds of the instance', async () => {
    const guard = new LoopGuard()
    guard.listening('127.0.0.1:1')
    guard.listening('127.0.0.1:2')
    const [a, b] = [newSession(), newSession()]
    expect(guard.entered(connWith('', '127.0.0.1:40000'), a, 'A')).toBe(true)
    await watched(guard, dialerFrom('127.0.0.1:50001')).dial({ host: '127.0.0.1', port: 2 }, { until, session: a })
    expect(guard.entered(connWith('', '127.0.0.1:50001'), b, 'B')).toBe(true)
    await watched(guard, dialerFrom('127.0.0.1:50002')).dial({ host: '127.0.0.1', port: 1 }, { until, session: b })
    expect(guard.entered(connWith('', '127.0.0.1:50002'), newSession(), 'A')).toBe(false)
  })

  it('forgets a connection that is gone, and ignores those to other machines', async () => {
    const guard = new LoopGuard()
    guard.listening('127.0.0.1:10086')
    const first = newSession()
    guard.entered(connWith('', '127.0.0.1:40000'), first, 'A')
    const own = await watched(guard, dialerFrom('127.0.0.1:50000')).dial(
      { host: '127.0.0.1', port: 10086 },
      { until, session: first },
    )
    own.destroy()
    expect(guard.entered(connWith('', '127.0.0.1:50000'), newSession(), 'A')).toBe(true)
    await watched(guard, dialerFrom('192.0.2.1:50000')).dial(
      { host: '192.0.2.2', port: 10086 },
      { until, session: first },
    )
    expect(guard.entered(connWith('', '192.0.2.1:50000'), newSession(), 'A')).toBe(true)
  })

  it('does not remember a connection that is gone already, whose port an honest client may get', async () => {
    const guard = new LoopGuard()
    guard.listening('127.0.0.1:10086')
    const first = newSession()
    guard.entered(connWith('', '127.0.0.1:40000'), first, 'A')
    const broken = connWith('127.0.0.1:50000', '127.0.0.1:10086')
    broken.destroy()
    const dialer = watched(guard, { dial: async () => broken })
    await dialer.dial({ host: '127.0.0.1', port: 10086 }, { until, session: first })
    expect(guard.entered(connWith('', '127.0.0.1:50000'), newSession(), 'A')).toBe(true)
  })
})

describe('LoopGuard for datagrams', () => {
  const packet = Uint8Array.of(1)

  async function rig() {
    const guard = new LoopGuard()
    guard.listening('0.0.0.0:5300')
    const session = newSession()
    expect(guard.entered(clientAt('127.0.0.1:40000'), session, 'A')).toBe(true)
    const ground = groundOf(dialerFrom(''))
    const conn = await guard.watch(ground).udp.open({ until: forever, session })
    return {
      guard,
      ground,
      conn,
      enters: (from: string, inbound = 'A') => guard.entered(clientAt(from), newSession(), inbound),
    }
  }

  it('recognises a flow whose socket has sent to a port of ours on this machine', async () => {
    const { conn, ground, enters } = await rig()
    expect(conn.send(packet, { host: '127.0.0.1', port: 5300 })).toBe(true)
    expect(enters('127.0.0.1:50000')).toBe(false)
    expect(enters('192.0.2.1:50000')).toBe(false)
    expect(enters('127.0.0.1:50000', 'B')).toBe(true)
    await new Promise(setImmediate)
    expect(ground.sent).toEqual(['1 127.0.0.1:5300'])
  })

  it('takes nobody else for it', async () => {
    const { conn, enters } = await rig()
    conn.send(packet, { host: '192.0.2.2', port: 5300 }) // another machine
    conn.send(packet, { host: '127.0.0.1', port: 53 }) // another program
    expect(enters('127.0.0.1:50000')).toBe(true)
    conn.send(packet, { host: '127.0.0.1', port: 5300 })
    expect(enters('192.0.2.2:50000')).toBe(true)
    expect(enters('127.0.0.1:50001')).toBe(true)
  })

  it('forgets a socket that is gone', async () => {
    const { conn, enters } = await rig()
    conn.send(packet, { host: '127.0.0.1', port: 5300 })
    conn.destroy()
    expect(enters('127.0.0.1:50000')).toBe(true)
    // Somebody has not noticed yet.
    conn.send(packet, { host: '127.0.0.1', port: 5300 })
    expect(enters('127.0.0.1:50000')).toBe(true)
  })
})
