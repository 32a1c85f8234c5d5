import { describe, expect, it } from 'vitest'
import { type PacketKind, packetTarget, vmessPackets } from '../../../test/support/vmess-packets.ts'
import type { Conn } from '../../core/conn.ts'
import { limits } from '../../core/limits.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { type PacketPair, packetSuite } from '../../testing/packet-suite.ts'

const kinds: Record<string, PacketKind> = {
  'aes-128-gcm': { security: 'aes-128-gcm' },
  'aes-128-gcm, no padding': { security: 'aes-128-gcm', globalPadding: false },
  'chacha20-poly1305, authenticated length': { security: 'chacha20-poly1305', authenticatedLength: true },
  'aes-128-gcm, legacy': { security: 'aes-128-gcm', alterId: 4 },
  'aes-128-cfb, legacy': { security: 'aes-128-cfb', alterId: 4 },
  none: { security: 'none' },
  zero: { security: 'zero' },
}

const anywhere = [packetTarget, { host: '192.0.2.1', port: 5 }, { host: '2001:db8::1', port: 7 }]

async function pair(kind: PacketKind): Promise<PacketPair> {
  const { client, server } = await vmessPackets(memoryPair(), kind)
  return {
    a: client,
    b: server,
    aToB: [{ to: packetTarget, from: packetTarget }],
    bToA: anywhere.map((to) => ({ to, from: packetTarget })),
    close: async () => {},
  }
}

for (const [name, kind] of Object.entries(kinds)) {
  packetSuite(`VMess, ${name}`, () => pair(kind), { closeWrite: true, test: { describe, it } })
}

const settled = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))
const text = (words: string) => new TextEncoder().encode(words)

/** The client's end writes through this, and its writes are seen. */
async function rig(kind: PacketKind = { security: 'aes-128-gcm' }, pairOf: [Conn, Conn] = memoryPair()) {
  const [a, b] = pairOf
  const writes: Uint8Array[] = []
  const write = a.write.bind(a)
  a.write = (bytes, release) => {
    writes.push(new Uint8Array(bytes))
    return write(bytes, release)
  }
  const { client, server, said } = await vmessPackets([a, b], kind)
  const got: string[] = []
  server.drainTo((lent) => void got.push(Buffer.from(lent).toString())).catch((error) => got.push(error.code))
  return { client, server, said, got, writes, a, b }
}

describe('datagrams in a VMess stream', () => {
  it.each([
    ['aes-128-gcm', {}, 1967],
    ['aes-128-gcm', { globalPadding: false }, 2030],
    ['chacha20-poly1305', { authenticatedLength: true }, 1951],
    ['aes-128-cfb', { alterId: 4 }, 2042],
    ['none', {}, 2046],
  ] as const)('are as large as V2Ray takes them: %s %o: %i bytes', async (security, options, largest) => {
    const { client, server } = await rig({ security, ...options })
    expect([client.info.largest, server.info.largest]).toEqual([largest, largest])
  })

  it('stay in step when some are too large, and say so once', async () => {
    const { client, said, got } = await rig()
    for (let i = 0; i < 20; i++) {
      client.send(text(String(i)), packetTarget)
      expect(client.send(new Uint8Array(1968 + i), packetTarget)).toBe(false)
      await settled()
    }
    expect(got).toEqual(Array.from({ length: 20 }, (_, i) => String(i)))
    expect(client.dropped).toBe(20)
    expect(said).toEqual([1968])
  })

  it('may be larger for a peer that has sent larger ones', async () => {
    const { client, server } = await rig()
    client.drainTo(() => {}).catch(() => {})
    expect(server.info.largest).toBe(1967)
    // As an Xray does, which never keeps to V2Ray's size.
    Object.defineProperty(client, 'info', { value: { ...client.info, largest: 65_000 } })
    for (const [size, largest] of [
      [1967, 1967],
      [1968, 8111],
      [8111, 8111],
      [8112, 65_454],
      [20_000, 65_454],
    ] as const) {
      server.received(new Uint8Array(size))
      expect(server.info.largest).toBe(largest)
    }
    expect(server.send(new Uint8Array(60_000), packetTarget)).toBe(true)
    await settled()
    expect(client.gone).toBeUndefined()
  })

  it('leave together when they come at once, behind the header', async () => {
    const [a, b] = memoryPair()
    const { client, got, writes } = await rig(undefined, [a, b])
    const before = writes.length
    for (let i = 0; i < 30; i++) client.send(new Uint8Array(100), packetTarget)
    await settled()
    expect(got).toHaveLength(30)
    expect(writes.length - before).toBe(2) // a small buffer for the first, one with room for the others
  })

  it('come in turns of the event loop, so that others have theirs between them', async () => {
    const [a, b] = memoryPair()
    const { client, server } = await vmessPackets([a, b], { security: 'aes-128-gcm' })
    const sent = 3 * limits.unitsPerTurn + 5
    const inTurn: number[] = []
    let inThis = 0
    server
      .drainTo(() => {
        if (inThis++ > 0) return
        setImmediate(() => {
          inTurn.push(inThis)
          inThis = 0
        })
      })
      .catch(() => {})
    for (let i = 0; i < sent; i++) client.send(new Uint8Array(1000), packetTarget)
    await expect.poll(() => inTurn.reduce((sum, one) => sum + one, 0)).toBe(sent)
    // A read that was begun is finished; here it has less than half as many.
    expect(Math.max(...inTurn)).toBeLessThan(1.5 * limits.unitsPerTurn)
    expect(inTurn.length).toBeGreaterThan(2)
  })

  it('are dropped while the carrier does not take them, and not afterwards', async () => {
    const [a, b] = memoryPair()
    const { client, server } = await vmessPackets([a, b], { security: 'aes-128-gcm' })
    let taken = 0
    for (let i = 0; i < 1000; i++) {
      if (client.send(new Uint8Array(1200), packetTarget)) taken++
      await Promise.resolve()
    }
    expect(taken).toBeGreaterThan(200)
    expect(taken).toBeLessThan(260)
    let got = 0
    server.drainTo(() => void got++).catch(() => {})
    await expect.poll(() => got).toBe(taken)
    expect(client.send(new Uint8Array(1200), packetTarget)).toBe(true)
  })

  it('go to the target only', async () => {
    const { client, got } = await rig()
    expect(client.send(text('astray'), { host: 'example.com', port: 54 })).toBe(false)
    expect(client.send(text('astray'), { host: 'example.net', port: 53 })).toBe(false)
    expect(client.send(text('right'), { ...packetTarget })).toBe(true)
    await settled()
    expect(got).toEqual(['right'])
  })

  it('come whole however the stream is cut', async () => {
    const [a, b] = memoryPair()
    const write = a.write.bind(a)
    a.write = (bytes, release) => {
      for (const byte of bytes) void write(Uint8Array.of(byte))
      release?.()
    }
    const { client, got } = await rig(undefined, [a, b])
    client.send(text('one'), packetTarget)
    client.send(text('two'), packetTarget)
    await settled()
    await settled()
    expect(got).toEqual(['one', 'two'])
  })

  it('end with the body’s error when a chunk was changed', async () => {
    const [a, b] = memoryPair()
    const { client, server } = await vmessPackets([a, b], { security: 'aes-128-gcm' })
    const drained = server.drainTo(() => {})
    const write = a.write.bind(a)
    a.write = (bytes, release) => {
      const changed = new Uint8Array(bytes)
      changed[changed.length - 70]! ^= 1
      release?.()
      return write(changed)
    }
    client.send(new Uint8Array(500), packetTarget)
    await expect(drained).rejects.toMatchObject({ code: 'BODY_AUTH_FAILED' })
    expect(server.gone).toMatchObject({ code: 'BODY_AUTH_FAILED' })
    expect(server.destroyed).toBe(false)
  })

  it('tell of a server that never answers, as a stream does', async () => {
    const { client, b } = await rig()
    const drained = client.drainTo(() => {})
    b.closeWrite()
    await expect(drained).rejects.toMatchObject({ code: 'RESPONSE_MISSING' })
  })
})
