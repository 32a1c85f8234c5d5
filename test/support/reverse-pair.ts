/** A bridge and its portal, over memory, under a clock that stands still. */
import type { Address } from '../../src/core/address.ts'
import type { Conn } from '../../src/core/conn.ts'
import type { PacketConn } from '../../src/core/datagrams/packet.ts'
import { silentLogger } from '../../src/core/env.ts'
import { forever } from '../../src/core/lifetime.ts'
import type { FlowRequest } from '../../src/core/session.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { Bridge } from '../../src/proxy/reverse/bridge.ts'
import { Portal } from '../../src/proxy/reverse/portal.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'
import { turns } from './mux-pair.ts'

export const domain = 'Inner.example.com'

/** Hands on what comes, both ways, as a relay does. */
function join(a: Conn, b: Conn): void {
  const pump = async (from: Conn, to: Conn) => {
    await from.drainTo((lent) => to.write(lent))
    await to.closeWrite()
  }
  const over = () => {
    a.destroy()
    b.destroy()
  }
  Promise.all([pump(a, b), pump(b, a)]).then(over, over)
}

/** The way between the two can be cut: `up`. */
export function reversePair() {
  const clock = fakeClock(1_700_000_000_000)
  const env = { clock, log: silentLogger, random: fakeRandom(7) }
  const pair = () => memoryPair()
  const portal = new Portal({ tag: 'portal', domain }, { env, pair })
  const way = { up: true, dials: 0, carriers: [] as Conn[] }
  const streams: { conn: Conn; target: Address }[] = []
  const packets: { conn: PacketConn; target: Address }[] = []
  const carry = async (near: Conn, { target }: FlowRequest): Promise<void> => {
    if (target.host !== domain) return void streams.push({ conn: near, target })
    way.dials++
    if (!way.up) return near.destroy()
    way.carriers.push(near)
    join(near, await portal.dial(target, { until: forever }))
  }
  const carryPackets = async (conn: PacketConn, { target }: FlowRequest): Promise<void> =>
    void packets.push({ conn, target })
  const bridge = new Bridge({ tag: 'bridge', domain }, { env, pair, carry, carryPackets })
  return {
    clock,
    portal,
    bridge,
    way,
    /** What the bridge was asked for. */
    streams,
    packets,
    dial: (host: string) => portal.dial({ host, port: 80 }, { until: forever }),
    /** Lets seconds pass, and what is due happen. */
    async seconds(count: number) {
      for (let i = 0; i < count; i++) {
        clock.advance(1_000)
        await turns(8)
      }
    },
  }
}
