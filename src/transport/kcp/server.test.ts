import { describe, expect, it } from 'vitest'
import { kcpConfig } from '../../../test/support/kcp-pair.ts'
import { silentLogger } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { commands } from '../../protocol/kcp/segment.ts'
import { SegmentWriter } from '../../protocol/kcp/segment-writer.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import type { KcpConn } from './conn.ts'
import { KcpConnections } from './server.ts'

function rig() {
  const clock = fakeClock(0)
  const accepted: KcpConn[] = []
  let empty = 0
  let sent = 0
  const env = { clock, random: fakeRandom(1), log: silentLogger }
  const connections = new KcpConnections(kcpConfig({ masks: [] }), env, () => empty++)
  connections.accept = (conn) => void accepted.push(conn)
  const at = { address: { host: '127.0.0.1', port: 1 }, dropped: 0, send: () => ++sent > 0, close() {} }
  const receive = (segment: Uint8Array, host: string, port = 5) => connections.receive(segment, { host, port }, at)
  return { clock, accepted, connections, receive, empty: () => empty, sent: () => sent }
}

const data = (conv: number, number = 0) => new SegmentWriter(conv, 1400).data(0, number, 0, Uint8Array.of(7))
const command = (which: 'ping' | 'terminate', first: number) =>
  new SegmentWriter(1, 1400).command(commands[which], first, 0, 100)

describe('connections of mKCP at one address', () => {
  it('begin with first data or a first ping, and with nothing else, which gets silence', () => {
    const { connections, receive, sent } = rig()
    expect(receive(command('terminate', 0), '192.0.2.1')).toBe(false)
    expect(receive(command('ping', 9), '192.0.2.1')).toBe(false)
    expect(receive(data(1, 5_000), '192.0.2.1')).toBe(false)
    expect([connections.size, sent()]).toEqual([0, 0])
    expect(receive(command('ping', 0), '192.0.2.1')).toBe(true)
    expect(receive(data(1), '192.0.2.2')).toBe(true)
    expect(connections.size).toBe(2)
  })

  it('are told apart by address, port and conversation', () => {
    const { connections, accepted, receive } = rig()
    for (const [conv, host, port] of [
      [1, 'a', 5],
      [2, 'a', 5],
      [1, 'a', 6],
      [1, 'b', 5],
      [1, 'a', 5],
    ] as const) {
      receive(data(conv), host, port)
    }
    expect([connections.size, accepted.length]).toEqual([4, 4])
  })

  it('of strangers are few, in all and of one address, and take nothing from who is known', () => {
    const { connections, accepted, receive } = rig()
    receive(data(1), '192.0.2.1')
    accepted[0]!.info.admitted?.()
    for (let i = 0; i < 2 * limits.kcpStrangersPerAddress; i++) receive(data(i), '192.0.2.2', 1_000 + i)
    expect(connections.size).toBe(1 + limits.kcpStrangersPerAddress)
    for (let i = 0; i < 5_000; i++) receive(data(1), `10.0.${i >> 8}.${i & 255}`)
    expect(connections.size).toBe(1 + limits.kcpStrangers)
    expect(accepted[0]!.gone).toBeUndefined()
    expect(accepted[1]!.gone).toMatchObject({ code: 'STRANGER_EVICTED' })
  })

  it('are forgotten when they are over, and no timer is left', () => {
    const { clock, connections, accepted, receive, empty } = rig()
    receive(data(1), '192.0.2.1')
    accepted[0]!.destroy()
    clock.advance(3_000)
    expect([connections.size, empty(), clock.pending]).toEqual([0, 1, 0])
  })
})
