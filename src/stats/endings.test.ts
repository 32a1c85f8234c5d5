import { expect, it } from 'vitest'
import { ProxyError } from '../core/errors.ts'
import type { Session } from '../core/session.ts'
import { Endings } from './endings.ts'

const session = (inboundTag: string): Session => ({
  id: 1,
  inboundTag,
  source: '127.0.0.1:5000',
  network: 'tcp',
  target: { host: '::1', port: 80 },
  user: { email: 'a@b', level: 0 },
  startedAt: 0,
})

it('counts sessions that ended before their time, by inbound and reason', () => {
  const endings = new Endings()
  const { observer } = endings
  const totals = { uplink: 0, downlink: 0 }
  const quota = new ProxyError('USER_QUOTA', 'the quota is used up')
  observer.closed?.(session('a'), totals)
  observer.closed?.(session('a'), totals, quota)
  observer.closed?.(session('a'), totals, quota)
  observer.closed?.(session('b'), totals, quota)
  observer.closed?.(session('a'), totals, new ProxyError('IDLE_TIMEOUT', 'idle'))
  expect([...endings]).toEqual([
    { inboundTag: 'a', reason: 'USER_QUOTA', count: 2 },
    { inboundTag: 'b', reason: 'USER_QUOTA', count: 1 },
    { inboundTag: 'a', reason: 'IDLE_TIMEOUT', count: 1 },
  ])
})
