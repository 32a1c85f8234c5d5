import { describe, expect, it } from 'vitest'
import type { ConnInfo } from '../../core/conn.ts'
import type { Dialer } from '../../core/dialer.ts'
import { forever } from '../../core/lifetime.ts'
import type { Session } from '../../core/session.ts'
import { memoryPair } from '../../net/memory.ts'
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

const until = forever

describe('LoopGuard', () => {
  it('lets a flow pass an inbound once, and recognises it when it comes back', async () => {
    const guard = new LoopGuard()
    guard.listening('0.0.0.0:10086')
    const first = newSession()
    expect(guard.entered(connWith('127.0.0.1:10086', '127.0.0.1:40000'), first, 'inbounds[0]')).toBe(true)
    await guard.watch(dialerFrom('127.0.0.1:50000')).dial({ host: '127.0.0.1', port: 10086 }, { until, session: first })
    expect(guard.entered(connWith('127.0.0.1:10086', '127.0.0.1:50000'), newSession(), 'inbounds[0]')).toBe(false)
  })

  it('follows a flow through several inbounds of the instance', async () => {
    const guard = new LoopGuard()
    guard.listening('127.0.0.1:1')
    guard.listening('127.0.0.1:2')
    const [a, b] = [newSession(), newSession()]
    expect(guard.entered(connWith('', '127.0.0.1:40000'), a, 'A')).toBe(true)
    await guard.watch(dialerFrom('127.0.0.1:50001')).dial({ host: '127.0.0.1', port: 2 }, { until, session: a })
    expect(guard.entered(connWith('', '127.0.0.1:50001'), b, 'B')).toBe(true)
    await guard.watch(dialerFrom('127.0.0.1:50002')).dial({ host: '127.0.0.1', port: 1 }, { until, session: b })
    expect(guard.entered(connWith('', '127.0.0.1:50002'), newSession(), 'A')).toBe(false)
  })

  it('forgets a connection that is gone, and ignores those to other machines', async () => {
    const guard = new LoopGuard()
    guard.listening('127.0.0.1:10086')
    const first = newSession()
    guard.entered(connWith('', '127.0.0.1:40000'), first, 'A')
    const own = await guard
      .watch(dialerFrom('127.0.0.1:50000'))
      .dial({ host: '127.0.0.1', port: 10086 }, { until, session: first })
    own.destroy()
    expect(guard.entered(connWith('', '127.0.0.1:50000'), newSession(), 'A')).toBe(true)
    await guard.watch(dialerFrom('192.0.2.1:50000')).dial({ host: '192.0.2.2', port: 10086 }, { until, session: first })
    expect(guard.entered(connWith('', '192.0.2.1:50000'), newSession(), 'A')).toBe(true)
  })
})
