/** What an inbound asks of the instance, with the real relay and everything else in sight of the test. */

import type { Conn } from '../../src/core/conn.ts'
import type { PacketConn } from '../../src/core/datagrams/packet.ts'
import type { UdpDoor } from '../../src/core/datagrams/udp-door.ts'
import type { Clock } from '../../src/core/env.ts'
import { ProxyError, toProxyError } from '../../src/core/errors.ts'
import type { InboundIo } from '../../src/core/inbound.ts'
import type { FlowRequest, FlowUser, Totals } from '../../src/core/session.ts'
import { countInto } from '../../src/core/streams/meter.ts'
import { relay } from '../../src/relay/relay.ts'
import { relayPackets } from '../../src/relay/relay-packets.ts'

export interface RecordingIo extends InboundIo {
  readonly requests: FlowRequest[]
  readonly rejected: { code: string; user?: FlowUser }[]
  readonly relayed: { totals: Totals; reason: ProxyError | undefined }[]
}

export interface IoOptions {
  readonly clock: Clock
  /** What is beside the TCP address of every connection. */
  readonly door?: UdpDoor
  /** The far end for a request of datagrams; nobody asks for any unless given. */
  readonly openPackets?: (request: FlowRequest) => PacketConn
  /** The far end for a request; throws what the dial fails with. */
  readonly dial: (request: FlowRequest) => Conn | Promise<Conn>
}

export const HANDSHAKE_MS = 60_000
const limits = { connIdleMs: 300_000, uplinkOnlyMs: 2_000, downlinkOnlyMs: 5_000 }

export function recordingIo({ clock, dial, openPackets, door }: IoOptions): RecordingIo {
  const requests: FlowRequest[] = []
  const rejected: RecordingIo['rejected'] = []
  const relayed: RecordingIo['relayed'] = []
  return {
    requests,
    rejected,
    relayed,
    async carry(near, request, greet) {
      requests.push(request)
      let far: Conn
      try {
        far = await dial(request)
      } catch (error) {
        const failure = toProxyError(error, 'DIAL_FAILED')
        await greet?.(failure)
        near.destroy(failure)
        return failure
      }
      await Promise.resolve(greet?.(far)).catch(() => {})
      const totals = { uplink: 0, downlink: 0 }
      const reason = await relay(near, far, limits, clock, countInto(totals))
      relayed.push({ totals, reason })
      return reason
    },
    async carryPackets(near, request) {
      requests.push(request)
      if (!openPackets) throw new Error('nobody was to ask for datagrams')
      const totals = { uplink: 0, downlink: 0 }
      const drops = { uplink: 0, downlink: 0 }
      const reason = await relayPackets(near, openPackets(request), limits, clock, countInto(totals), drops)
      relayed.push({ totals, reason })
      return reason
    },
    udpBeside: () => door,
    reject(_near, reason, user) {
      rejected.push({ code: (reason as ProxyError).code, ...(user && { user }) })
    },
    handshake(near, step) {
      const late = () => near.destroy(new ProxyError('HANDSHAKE_TIMEOUT', 'too slow'))
      return step().finally(clock.after(HANDSHAKE_MS, late))
    },
  }
}

/** Lets everything run that does not wait for a clock or a peer: memory pairs move in microtasks only. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A client's or an origin's view of its end: what came so far, and how it stands. */
export class Tap {
  readonly conn: Conn
  #received = new Uint8Array(0)
  state: 'open' | 'ended' | 'broken' = 'open'

  constructor(conn: Conn) {
    this.conn = conn
    conn
      .drainTo((lent) => {
        const grown = new Uint8Array(this.#received.length + lent.length)
        grown.set(this.#received)
        grown.set(lent, this.#received.length)
        this.#received = grown
      })
      .then(
        () => {
          this.state = 'ended'
        },
        () => {
          this.state = 'broken'
        },
      )
  }

  get text(): string {
    return Buffer.from(this.#received).toString('latin1')
  }

  get hex(): string {
    return Buffer.from(this.#received).toString('hex')
  }

  /** Sends text (ISO 8859-1) or bytes, `cut` bytes at a time, and lets it take effect. */
  async send(data: string | Uint8Array, cut = Number.POSITIVE_INFINITY): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
    for (let at = 0; at < bytes.length; at += cut) {
      try {
        await this.conn.write(bytes.subarray(at, Math.min(bytes.length, at + cut)))
      } catch {
        break // Turned away in the middle; the test looks at what came back.
      }
      await settled()
    }
    await settled()
  }
}
