import { describe, expect, it } from 'vitest'
import { parseAddress } from '../core/address.ts'
import { namedPackets } from '../core/datagrams/named-packets.ts'
import type { PacketConn, PacketSink } from '../core/datagrams/packet.ts'
import { PacketLayer } from '../core/datagrams/packet-layer.ts'
import { forever } from '../core/lifetime.ts'
import { udpDialer } from '../net/datagrams/udp.ts'
import { memoryPackets } from '../net/memory/memory-packets.ts'
import { type PacketPair, packetSuite, type Way } from './packet-suite.ts'

const close = async () => {}
const straight = (host: string, port: number): Way => ({ to: { host, port }, from: { host, port } })
const ways = [straight('192.0.2.1', 53), straight('2001:db8::1', 5000), straight('example.com', 443)]

function memory(wrap = (conn: PacketConn): PacketConn => conn): PacketPair {
  const [a, b] = memoryPackets()
  return { a: wrap(a), b: wrap(b), aToB: ways, bToA: ways, close }
}

/** Two sockets on one loopback address, by which both see each other. */
async function udp(
  loopback: string,
  wrap = (conn: PacketConn): PacketConn => conn,
  name = loopback,
): Promise<PacketPair> {
  const [a, b] = await Promise.all([udpDialer().open({ until: forever }), udpDialer().open({ until: forever })])
  const port = (conn: PacketConn) => parseAddress(conn.info.local)!.port
  const way = (from: PacketConn, to: PacketConn): Way => ({
    to: { host: name, port: port(to) },
    from: { host: loopback, port: port(from) },
  })
  return { a: wrap(a), b: wrap(b), aToB: [way(a, b)], bToA: [way(b, a)], close }
}

const test = { describe, it }
packetSuite('memory', async () => memory(), { closeWrite: true, test })
const sockets = { closeWrite: false, kernelDrops: true, test }
packetSuite('UDP over IPv4', () => udp('127.0.0.1'), sockets)
packetSuite('UDP over IPv6', () => udp('::1'), sockets)
packetSuite(
  'UDP by name',
  () => udp('127.0.0.1', (conn) => namedPackets(conn, async () => '127.0.0.1'), 'here.test'),
  sockets,
)

/** Each breaks one promise. */
const broken: Record<string, { failsAt: RegExp; Mutant: new (base: PacketConn) => PacketConn }> = {
  'keeps what is lent to send()': {
    failsAt: /keeps borders/,
    Mutant: class extends PacketLayer {
      override send(...args: Parameters<PacketConn['send']>) {
        queueMicrotask(() => this.base.send(...args))
        return true
      }
    },
  },
  'joins two datagrams': {
    failsAt: /keeps borders/,
    Mutant: class extends PacketLayer {
      #before = new Uint8Array(0)
      override send(bytes: Uint8Array, to: Parameters<PacketConn['send']>[1]) {
        const joined = Buffer.concat([this.#before, bytes])
        this.#before = new Uint8Array(bytes)
        return this.base.send(joined, to)
      }
    },
  },
  'says another source': {
    failsAt: /tells where/,
    Mutant: class extends PacketLayer {
      override drainTo(sink: PacketSink) {
        return this.base.drainTo((lent) => sink(lent, { host: '192.0.2.9', port: 9 }))
      }
    },
  },
  'cuts what is too large': {
    failsAt: /carries the largest/,
    Mutant: class extends PacketLayer {
      override send(bytes: Uint8Array, to: Parameters<PacketConn['send']>[1]) {
        return this.base.send(bytes.subarray(0, this.info.largest), to)
      }
    },
  },
  'does not count what it drops': {
    failsAt: /too large|larger/,
    Mutant: class extends PacketLayer {
      override get dropped() {
        return 0
      }
    },
  },
  'forgets the reason': {
    failsAt: /with the reason/,
    Mutant: class extends PacketLayer {
      override destroy() {
        this.base.destroy()
      }
    },
  },
  'is destroyed by closeWrite()': {
    failsAt: /after closeWrite/,
    Mutant: class extends PacketLayer {
      override closeWrite() {
        this.base.destroy()
      }
    },
  },
}

describe('a packet conn that breaks a promise fails the suite', () => {
  for (const [what, { failsAt, Mutant }] of Object.entries(broken)) {
    it(what, async () => {
      const failures: string[] = []
      const cases: { name: string; body: () => Promise<void> }[] = []
      const collecting = {
        describe: (_: string, body: () => void) => body(),
        it: (name: string, body: () => Promise<void>) => cases.push({ name, body }),
      }
      packetSuite('mutant', async () => memory((conn) => new Mutant(conn)), { closeWrite: true, test: collecting })
      for (const { name, body } of cases.filter(({ name }) => failsAt.test(name))) {
        await body().catch(() => failures.push(name))
      }
      expect(failures.join()).toMatch(failsAt)
    })
  }
})
