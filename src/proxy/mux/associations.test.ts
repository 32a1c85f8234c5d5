import { expect, it } from 'vitest'
import { muxPair, turns } from '../../../test/support/mux-pair.ts'
import type { Address } from '../../core/address.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import { limits } from '../../core/limits.ts'
import { Associations } from './associations.ts'

const a = { host: '192.0.2.1', port: 53 }
const b = { host: '192.0.2.2', port: 53 }
const id = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
const bytes = (value: number) => Uint8Array.of(value)

function noted(conn: PacketConn) {
  const got: [number, Address][] = []
  const end = conn.drainTo((lent, from) => void got.push([lent[0]!, from])).catch((error) => error.code ?? error)
  return { got, end }
}

/** Sessions with a GlobalID, each on a carrier of its own, of a user or another. */
function sessions() {
  const pair = muxPair(1)
  const associations = new Associations(pair.clock)
  const joined: (PacketConn | undefined)[] = []
  return {
    ...pair,
    associations,
    joined,
    async open(first: number, to: Address, user = 'me') {
      const near = await pair.packets(true, { globalId: id })
      near.send(bytes(first), to)
      await turns()
      const { conn, globalId } = pair.server.packets.at(-1)!
      joined.push(associations.join(user, globalId!, conn))
      return near
    },
  }
}

it('a session goes on at another carrier, and the old one is told', async () => {
  const { open, joined, carriers } = sessions()
  const first = await open(1, a)
  const { got } = noted(joined[0]!)
  const second = await open(2, b)
  await turns()
  expect(first.gone).toBeDefined()
  expect(joined[1]).toBeUndefined()
  expect(carriers).toHaveLength(2)
  expect(got).toEqual([
    [1, a],
    [2, b],
  ])
  const answers = noted(second)
  expect(joined[0]!.send(bytes(9), a)).toBe(true)
  await turns()
  expect(answers.got).toEqual([[9, a]])
})

it('survives a carrier that is killed, for a while', async () => {
  const { open, joined, carriers, clock, associations } = sessions()
  await open(1, a)
  const { got, end } = noted(joined[0]!)
  carriers[0]![0].destroy()
  await turns()
  expect(joined[0]!.send(bytes(1), a)).toBe(false)
  expect(joined[0]!.dropped).toBe(1)
  clock.advance(limits.xudpExpiryMs - 1)
  await open(2, b)
  expect(got).toEqual([
    [1, a],
    [2, b],
  ])
  clock.advance(limits.xudpExpiryMs)
  expect(joined[0]!.gone).toBeUndefined()
  carriers[1]![0].destroy()
  await turns()
  clock.advance(limits.xudpExpiryMs)
  expect(await end).toBe('IDLE_TIMEOUT')
  expect(associations.size).toBe(0)
})

it('survives the end that a client says of a carrier', async () => {
  const { open, joined, clock, associations } = sessions()
  const first = await open(1, a)
  const { got, end } = noted(joined[0]!)
  await first.closeWrite()
  await turns()
  expect(joined[0]!.gone).toBeUndefined()
  await open(2, b)
  expect(got).toEqual([
    [1, a],
    [2, b],
  ])
  await joined[0]!.closeWrite()
  expect(joined[0]!.send(bytes(1), a)).toBe(false)
  joined[0]!.destroy()
  expect(await end).toBe('CONN_CLOSED')
  expect(associations.size).toBe(0)
  clock.advance(limits.xudpExpiryMs)
})

it('is of one user: the same id of another is another socket', async () => {
  const { open, joined, associations } = sessions()
  const mine = await open(1, a, 'me')
  await open(2, b, 'you')
  expect(joined.map((conn) => conn !== undefined)).toEqual([true, true])
  expect(noted(joined[0]!).got).toEqual([[1, a]])
  expect(noted(joined[1]!).got).toEqual([[2, b]])
  expect(mine.gone).toBeUndefined()
  expect(associations.size).toBe(2)
})

it('that was ended is not gone on with', async () => {
  const { open, joined, associations } = sessions()
  const first = await open(1, a)
  const { end } = noted(joined[0]!)
  joined[0]!.destroy()
  expect(await end).toBe('CONN_CLOSED')
  await turns()
  expect(first.gone).toBeDefined()
  expect(associations.size).toBe(0)
  await open(2, a)
  expect(joined[1]).toBeDefined()
})

it('tells what its receiver throws', async () => {
  const { open, joined } = sessions()
  await open(1, a)
  const mine = new Error('mine')
  await expect(
    joined[0]!.drainTo(() => {
      throw mine
    }),
  ).rejects.toBe(mine)
})
