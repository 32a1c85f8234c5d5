import { expect, it } from 'vitest'
import { silentLogger } from '../../core/env.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { Connections } from './connections.ts'
import type { RunningInbound } from './running-inbound.ts'

function rig() {
  const clock = fakeClock(0)
  const connections = new Connections({ clock, random: fakeRandom(1), log: silentLogger })
  const inbound = { tag: 'in', serving: 0 } as RunningInbound
  const cut: string[] = []
  /** A connection that is served until `finish` is called, or it is cut. */
  const open = (name: string) => {
    let finish = () => {}
    const served = new Promise<void>((resolve) => {
      finish = resolve
    })
    const conn = {
      destroy: (reason?: Error & { code?: string }) => {
        if (reason) cut.push(`${name} ${reason.code}`)
        finish()
      },
    }
    void connections.serve(inbound, conn as never, () => served)
    return { conn, finish }
  }
  return { clock, connections, cut, open }
}

it('lets connections finish when all are to end, and cuts those that are left after the time', async () => {
  const { clock, connections, cut, open } = rig()
  const [quick] = [open('quick'), open('slow')]
  let drained = false
  const draining = connections.drain(10_000).then(() => {
    drained = true
  })
  quick.finish()
  clock.advance(9_999)
  await new Promise(setImmediate)
  expect({ drained, cut }).toEqual({ drained: false, cut: [] })
  clock.advance(1)
  await draining
  expect(cut).toEqual(['slow SHUTTING_DOWN'])
})

it('cuts at once what carries nothing yet, and what comes later', async () => {
  const { connections, cut, open } = rig()
  const { conn } = open('greeting')
  connections.handshakes.add(conn as never)
  await connections.drain(10_000)
  expect(cut).toEqual(['greeting SHUTTING_DOWN'])
  let served = false
  const late = { destroy: () => cut.push('late') }
  await connections.serve({ serving: 0 } as RunningInbound, late as never, async () => {
    served = true
  })
  expect({ served, last: cut.at(-1) }).toEqual({ served: false, last: 'late' })
})
