/** A pool of carriers in front of a server, over memory, under a clock that stands still. */
import type { Address } from '../../src/core/address.ts'
import type { Conn } from '../../src/core/conn.ts'
import type { PacketConn } from '../../src/core/datagrams/packet.ts'
import { silentLogger } from '../../src/core/env.ts'
import type { ProxyError } from '../../src/core/errors.ts'
import { forever } from '../../src/core/lifetime.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { MuxPool } from '../../src/proxy/mux/pool.ts'
import { serveMux } from '../../src/proxy/mux/server.ts'
import { fakeClock } from '../../src/testing/fakes.ts'

export const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
export const turns = async (count = 5) => {
  for (let i = 0; i < count; i++) await turn()
}

export interface TakenStream {
  readonly conn: Conn
  readonly target: Address
}
export interface TakenPackets {
  readonly conn: PacketConn
  readonly target: Address
  readonly globalId: Uint8Array | undefined
}

/** Notes what a server is asked for. */
export function taker() {
  const taken = {
    streams: [] as TakenStream[],
    packets: [] as TakenPackets[],
    refusals: [] as ProxyError[],
    stalls: [] as Address[],
  }
  return {
    ...taken,
    taker: {
      stream: (conn: Conn, target: Address) => void taken.streams.push({ conn, target }),
      packets: (conn: PacketConn, target: Address, globalId: Uint8Array | undefined) =>
        void taken.packets.push({ conn, target, globalId }),
      refused: (why: ProxyError) => void taken.refusals.push(why),
      stalled: (target: Address) => void taken.stalls.push(target),
    },
  }
}

export function muxPair(concurrency = 8) {
  const clock = fakeClock(1_700_000_000_000)
  const env = { clock, log: silentLogger }
  const server = taker()
  const stalls: Address[] = []
  /** The client's and the server's end of each carrier. */
  const carriers: [Conn, Conn][] = []
  const pool = new MuxPool({
    env,
    concurrency,
    stalled: (target) => stalls.push(target),
    carriers: {
      async dial() {
        const pair = memoryPair()
        carriers.push(pair)
        serveMux(pair[1], env, server.taker)
        return pair[0]
      },
    },
  })
  const dial = (host = 'example.com') => pool.dial({ host, port: 80 }, { until: forever })
  return {
    clock,
    env,
    server,
    stalls,
    carriers,
    pool,
    dial,
    packets: (addressed: boolean, more: { globalId?: Uint8Array; answered?: (sourced: boolean) => void } = {}) =>
      pool.packets(forever, { addressed, ...more }),
    /** A stream with its other end. */
    async stream(host?: string) {
      const near = await dial(host)
      clock.advance(100)
      const known = server.streams.length
      await turns()
      const far = server.streams[known]?.conn
      if (!far) throw new Error('the server was not asked')
      return { near, far }
    },
  }
}
