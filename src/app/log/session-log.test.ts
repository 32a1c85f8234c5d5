import { describe, expect, it } from 'vitest'
import type { LogFields, Logger } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { Session } from '../../core/session.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { sessionLog } from './session-log.ts'

function rig() {
  const lines: { level: string; fields: LogFields; message: string }[] = []
  const at = (level: string) => (fields: LogFields, message: string) => void lines.push({ level, fields, message })
  const log: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const clock = fakeClock(0)
  return { lines, clock, observer: sessionLog(log, clock) }
}

const session: Session = {
  id: 1,
  inboundTag: 'in',
  source: '127.0.0.1:5000',
  network: 'tcp',
  target: { host: '::1', port: 80 },
  user: { email: 'a@b', level: 0 },
  startedAt: 0,
}

describe('sessionLog', () => {
  it('warns once per source, reason and minute, and notes the rest at info', () => {
    const { lines, clock, observer } = rig()
    const skew = new ProxyError('VMESS_CLOCK_SKEW', 'client clock is 187 s behind, limit 120 s')
    const from = (source: string) => observer.rejected?.({ inboundTag: 'in', source, email: '' }, skew)
    from('203.0.113.9:1000')
    from('203.0.113.9:1001')
    from('203.0.113.10:1000')
    clock.advance(60_000)
    from('203.0.113.9:1002')
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'info', 'warn', 'warn'])
    expect(lines[3]?.fields).not.toHaveProperty('notShown')
    expect(lines[2]?.fields).toMatchObject({ notShown: 1 })
    expect(lines[0]?.message).toBe('client clock is 187 s behind, limit 120 s')
  })

  it('warns so many times a minute in all, however many they are', () => {
    const { lines, clock, observer } = rig()
    const error = new ProxyError('UPGRADE_REJECTED', 'the path here is /ray')
    const warned = () => lines.filter(({ level }) => level === 'warn').length
    for (let i = 0; i < 300; i++)
      observer.rejected?.({ inboundTag: 'in', source: `203.0.113.${i % 250}:1`, email: '' }, error)
    for (let i = 0; i < 300; i++)
      observer.rejected?.({ inboundTag: 'in', source: `[2001:db8::${i}]:1`, email: '' }, error)
    expect(warned()).toBe(limits.rejectionWarnings)
    clock.advance(60_000)
    for (let i = 0; i < 300; i++)
      observer.rejected?.({ inboundTag: 'in', source: `[2001:db8::${i}]:1`, email: '' }, error)
    expect(warned()).toBe(limits.rejectionWarnings + 1)
  })

  it('keeps everyday ends quiet and says the reason and the hint of the others', () => {
    const { lines, observer } = rig()
    const totals = { uplink: 1, downlink: 2 }
    observer.closed?.(session, totals)
    observer.closed?.(session, totals, new ProxyError('CONN_RESET', 'reset'))
    observer.closed?.(session, totals, new ProxyError('RESPONSE_MISSING', 'no answer', { hint: 'check the id' }))
    observer.closed?.(session, totals, new ProxyError('CONN_RESET', 'reset, no answer', { hint: 'check the id' }))
    expect(lines.map(({ level }) => level)).toEqual(['debug', 'info', 'warn', 'warn'])
    expect(lines[3]?.fields).toMatchObject({ code: 'CONN_RESET', hint: 'check the id', utc: expect.any(String) })
    expect(lines[2]?.fields).toMatchObject({
      code: 'RESPONSE_MISSING',
      hint: 'check the id',
      target: '[::1]:80',
      uplink: 1,
      downlink: 2,
    })
  })

  it('warns of a user’s limit once per user, reason and minute, with the e-mail, also when a session ends by it', () => {
    const { lines, clock, observer } = rig()
    const quota = new ProxyError('USER_QUOTA', 'the user has used up the quota of 5 bytes')
    const totals = { uplink: 1, downlink: 2 }
    observer.closed?.(session, totals, quota)
    observer.closed?.({ ...session, user: { email: 'A@b', level: 0 } }, totals, quota)
    observer.failed?.(session, quota)
    observer.failed?.(session, new ProxyError('USER_DISABLED', 'the user is disabled'))
    observer.failed?.({ ...session, user: { email: 'c@d', level: 0 } }, quota)
    clock.advance(60_000)
    observer.failed?.(session, quota)
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'info', 'info', 'warn', 'warn', 'warn'])
    expect(lines[0]?.fields).toMatchObject({ code: 'USER_QUOTA', email: 'a@b', source: '127.0.0.1:5000' })
    expect(lines[3]?.fields).toMatchObject({ code: 'USER_DISABLED', email: 'a@b' })
  })

  it('goes on warning of other failures', () => {
    const { lines, observer } = rig()
    for (let i = 0; i < 3; i++) observer.failed?.(session, new ProxyError('DIAL_REFUSED', 'refused'))
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'warn', 'warn'])
  })

  it('calls a loop an error', () => {
    const { lines, observer } = rig()
    observer.failed?.(session, new ProxyError('LOOP_DETECTED', 'leads back'))
    expect(lines[0]?.level).toBe('error')
  })
})
