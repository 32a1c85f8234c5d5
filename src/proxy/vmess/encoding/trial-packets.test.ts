import { describe, expect, it } from 'vitest'
import type { Address } from '../../../core/address.ts'
import type { PacketConn } from '../../../core/datagrams/packet.ts'
import { limits } from '../../../core/limits.ts'
import { memoryPackets } from '../../../net/memory/memory-packets.ts'
import { fakeClock } from '../../../testing/fakes.ts'
import { packetSuite } from '../../../testing/packet-suite.ts'
import { TrialPackets } from './trial-packets.ts'

const at: Address = { host: '192.0.2.1', port: 7 }
const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))
const noOther = { instead: () => Promise.reject(new Error('no other way')), refused: () => {} }

packetSuite(
  'a way on trial that its server has taken',
  async () => {
    const clock = fakeClock(0)
    const ends = memoryPackets().map((conn) => new TrialPackets(conn, { clock, ...noOther }))
    for (const end of ends) end.spoke()
    const way = [{ to: at, from: at }]
    return { a: ends[0]!, b: ends[1]!, aToB: way, bToA: way, close: async () => {} }
  },
  { closeWrite: true, test: { describe, it } },
)

function rig(instead: () => Promise<PacketConn>) {
  const clock = fakeClock(0)
  const [near, far] = memoryPackets()
  let refusals = 0
  const conn = new TrialPackets(near, { clock, instead, refused: () => refusals++ })
  const answers: string[] = []
  conn
    .drainTo((lent) => void answers.push(Buffer.from(lent).toString()))
    .then(
      () => answers.push('end'),
      (error) => answers.push(error.message),
    )
  const send = (text: string) => conn.send(Buffer.from(text), at)
  return { clock, far, conn, answers, send, refusals: () => refusals }
}

describe('TrialPackets', () => {
  it('keeps what is sent while the other way opens, and forgets nothing but the oldest', async () => {
    const [other, behind] = memoryPackets()
    let open = (_conn: PacketConn) => {}
    const { far, conn, send, answers, refusals } = rig(() => new Promise((resolve) => (open = resolve)))
    const got: string[] = []
    behind.drainTo((lent) => void got.push(Buffer.from(lent).toString())).catch(() => {})
    send('a')
    far.destroy()
    await turn()
    for (let i = 0; i < limits.packetsWaiting; i++) expect(send(String(i))).toBe(true)
    open(other)
    await turn()
    expect(got).toEqual(Array.from({ length: limits.packetsWaiting }, (_, i) => String(i)))
    expect([conn.dropped, refusals()]).toEqual([1, 1])
    behind.send(Buffer.from('answer'), at)
    await turn()
    expect(answers).toEqual(['answer'])
  })

  it('is gone when the other way cannot be opened', async () => {
    const { far, conn, send, answers } = rig(() => Promise.reject(new Error('no other way')))
    send('a')
    far.destroy()
    await turn()
    expect(conn.gone).toBeDefined()
    expect(answers).toEqual(['no other way'])
  })

  it('is no trial any more once the server has spoken', async () => {
    const { far, conn, send, answers, refusals } = rig(() => Promise.reject(new Error('never asked for')))
    send('a')
    conn.spoke()
    far.destroy()
    await turn()
    expect(refusals()).toBe(0)
    expect(answers).toHaveLength(1)
    expect(answers[0]).not.toBe('never asked for')
  })
})
