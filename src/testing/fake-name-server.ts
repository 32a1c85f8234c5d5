import dnsPacket from 'dns-packet'
import type { Address } from '../core/address.ts'
import type { Conn } from '../core/conn.ts'
import type { PacketConn, PacketDialer } from '../core/datagrams/packet.ts'
import type { Dialer } from '../core/dialer.ts'
import { ProxyError } from '../core/errors.ts'
import { Life } from '../core/lifetime.ts'
import { memoryPair } from '../net/memory/memory.ts'

export interface Asked {
  /** Address of the server. */
  readonly server: string
  readonly name: string
  readonly type: string
  readonly edns: boolean
  /** The additional section in hex. */
  readonly additional: string
  readonly carrier: 'udp' | 'tcp'
  /** Which socket it came through. */
  readonly socket: number
  readonly id: number
}

export interface Said extends Omit<dnsPacket.Packet, 'type'> {
  /** Response code; 0 by default. */
  readonly rcode?: number
  /** Where the datagram comes from; the server by default. */
  readonly from?: Address
}

export interface FakeNameServers {
  readonly udp: PacketDialer
  readonly tcp: Dialer
  readonly asked: readonly Asked[]
  /** Sockets that are open now. */
  readonly open: number
}

/** Name servers on every address, without a network. Each query goes to `answer`; nothing, one reply or several come back. */
export function fakeNameServers(answer: (asked: Asked) => Said | readonly Said[] | undefined): FakeNameServers {
  const asked: Asked[] = []
  let sockets = 0
  let open = 0

  const replies = (bytes: Uint8Array, server: string, carrier: 'udp' | 'tcp', socket: number) => {
    const packet = dnsPacket.decode(Buffer.from(bytes))
    const { name, type } = packet.questions![0]!
    const edns = packet.additionals!.length > 0
    const additional = Buffer.from(bytes.subarray(12 + name.length + 2 + 4)).toString('hex')
    const query: Asked = { server, name, type, edns, additional, carrier, socket, id: packet.id! }
    asked.push(query)
    const said = answer(query) ?? []
    return (Array.isArray(said) ? (said as readonly Said[]) : [said as Said]).map((reply) => ({
      from: reply.from,
      bytes: dnsPacket.encode({
        id: query.id,
        questions: packet.questions,
        ...reply,
        type: 'response',
        flags: (reply.flags ?? dnsPacket.RECURSION_AVAILABLE) | (reply.rcode ?? 0),
      }),
    }))
  }

  const udp: PacketDialer = {
    async open() {
      const socket = sockets++
      open++
      const life = new Life()
      life.onGone(() => open--)
      let sink: ((lent: Uint8Array, from: Address) => void) | undefined
      const conn: PacketConn = {
        get gone() {
          return life.gone
        },
        onGone: (run) => life.onGone(run),
        info: { remote: '', local: '', largest: 1_472, encoding: 'memory', layers: ['memory'] },
        dropped: 0,
        closeWrite() {},
        drainTo(to) {
          sink = to
          return new Promise((_resolve, reject) => void life.onGone(reject))
        },
        send(bytes, to) {
          for (const reply of replies(bytes, to.host, 'udp', socket)) {
            queueMicrotask(() => sink?.(reply.bytes, reply.from ?? to))
          }
          return true
        },
        destroy: (why) => life.end(why ?? new ProxyError('CONN_CLOSED', 'closed')),
      }
      return conn
    },
  }

  const tcp: Dialer = {
    async dial(to) {
      const [near, far] = memoryPair()
      void serve(far, (bytes) => replies(bytes, to.host, 'tcp', sockets++))
      return near
    },
  }

  return {
    udp,
    tcp,
    asked,
    get open() {
      return open
    },
  }
}

async function serve(conn: Conn, replies: (bytes: Uint8Array) => readonly { bytes: Uint8Array }[]): Promise<void> {
  const message = await conn.read().catch(() => null)
  if (!message) return
  for (const { bytes } of replies(message.subarray(2))) {
    // In two parts, the first of one byte: streams keep no boundaries.
    const framed = Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes])
    await conn.write(framed.subarray(0, 1))
    await conn.write(framed.subarray(1))
  }
}
