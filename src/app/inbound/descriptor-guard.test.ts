import { expect, it } from 'vitest'
import { silentLogger } from '../../core/env.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { DescriptorGuard } from './descriptor-guard.ts'

function rig(connections: () => number) {
  const clock = fakeClock(0)
  const said: string[] = []
  const gate = { pause: () => void said.push('pause'), resume: () => void said.push('resume'), connections }
  return { clock, said, guard: new DescriptorGuard({ clock, random: fakeRandom(1), log: silentLogger }, gate) }
}

it('pauses once, and resumes when descriptors are free', () => {
  let open = 1e9
  const { clock, said, guard } = rig(() => open)
  guard.opened(10)
  guard.opened(11)
  clock.advance(5000)
  expect(said).toEqual(['pause'])
  open = 0
  clock.advance(500)
  expect(said).toEqual(['pause', 'resume'])
  expect(clock.pending).toBe(0)
})

it('looks no more after it was closed, so that nothing keeps the process', () => {
  const { clock, said, guard } = rig(() => 1e9)
  guard.opened(10)
  guard.close()
  clock.advance(5000)
  expect(said).toEqual(['pause'])
  expect(clock.pending).toBe(0)
})
