import { expect, it } from 'vitest'
import { limits } from '../../core/limits.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { type Session, Sessions } from './sessions.ts'

it('bounds together what is to be read next of clients that nobody knows; the oldest goes, and never a known one', async () => {
  const sessions = new Sessions({ clock: fakeClock(0), maxPosts: 30, onAdmitted: () => {} })
  const third = limits.xhttpHeldBytes / 3
  const held = async (id: string, known = false): Promise<Session> => {
    const [near, far] = memoryPair()
    const session = sessions.of(id)!
    session.connect(near)
    if (known) session.admit()
    expect(await session.place(0, third, far)).toBe('kept')
    return session
  }
  await held('known', true)
  for (const id of ['a', 'b', 'c']) await held(id)
  expect(sessions.held).toBe(4 * third)
  await held('d')
  expect(sessions.of('a')).toBeUndefined() // it is over
  expect(sessions.held).toBe(4 * third)
  sessions.of('b')!.admit()
  await held('e')
  expect(sessions.held).toBe(5 * third)
  for (const id of ['known', 'b', 'c', 'd', 'e']) expect(sessions.of(id)!.held).toBe(third)
})
