import type { PacketConn } from '../../core/datagrams/packet.ts'
import type { Dialer } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { dialDeadline } from '../../core/time/deadline.ts'
import type { MuxSettings } from '../../settings/model.ts'
import type { MuxPacketOptions } from '../mux/packets.ts'
import { MuxPool } from '../mux/pool.ts'
import type { PacketWays, WayOptions } from './encoding/packet-ways.ts'

/** The carriers of one outbound: for streams and datagrams together, for one of them alone, or for each apart. */
export class MuxPools {
  /** Absent: streams have connections of their own. */
  readonly streams: MuxPool | undefined
  /** Absent: datagrams have connections of their own. */
  readonly ways: PacketWays | undefined
  readonly #datagrams: MuxPool | undefined

  /** @param carriers opens them; `quiet`: for datagrams alone */
  constructor({ streams, datagrams }: MuxSettings, carriers: (quiet: boolean) => Dialer, env: Env) {
    const pool = (concurrency: number, quiet: boolean) =>
      concurrency > 0 ? new MuxPool({ carriers: carriers(quiet), env, concurrency }) : undefined
    this.streams = pool(streams, false)
    this.#datagrams = datagrams === 'shared' ? this.streams : pool(datagrams, true)
    this.ways = this.#datagrams && pooledWays(this.#datagrams, env)
  }

  /** What is carried lives on; each carrier ends with the last of it. */
  retire(): void {
    this.streams?.retire()
    this.#datagrams?.retire()
  }
}

/** Each way is a session within a carrier. */
function pooledWays(pool: MuxPool, { clock }: Env): PacketWays {
  return {
    onTrial: false,
    single: (_target, options) => open(options, { addressed: false }),
    addressed: (_target, { until, session, globalId, answered, spoke }) =>
      open(
        { until, session },
        {
          addressed: true,
          ...(globalId && { globalId }),
          ...(answered && { answered }),
          ...(spoke && { spoke }),
        },
      ),
  }

  async function open({ until, session }: WayOptions, options: MuxPacketOptions): Promise<PacketConn> {
    const limit = dialDeadline(clock, until)
    try {
      return await pool.packets(limit.until, options, session)
    } finally {
      limit.done()
    }
  }
}
