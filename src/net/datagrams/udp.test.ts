import { createSocket, Socket } from 'node:dgram'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Address, parseAddress } from '../../core/address.ts'
import type { PacketConn, UdpListening } from '../../core/datagrams/packet.ts'
import { forever, Life } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { udpDialer } from './udp.ts'
import { udpListener } from './udp-listener.ts'

const open: { destroy?: () => void; close?: () => void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.destroy ? one.destroy() : one.close?.()
})

async function dialled(): Promise<PacketConn> {
  const conn = await udpDialer().open({ until: forever })
  open.push(conn)
  return conn
}

async function listening(
  at: Address,
  receive: (lent: Uint8Array, from: Address, at: UdpListening) => void,
): Promise<UdpListening> {
  const found = await udpListener().listen(at, receive)
  open.push(found)
  return found
}

/** The next datagram's text and source. */
const next = (conn: PacketConn): Promise<[string, Address]> =>
  new Promise((resolve, reject) => {
    const enough = new Error('enough')
    conn
      .drainTo((lent, from) => {
        resolve([Buffer.from(lent).toString(), from])
        throw enough
      })
      .catch((error) => error !== enough && reject(error))
  })

const text = (words: string) => new TextEncoder().encode(words)

describe('a UDP socket', () => {
  it('talks to several listeners of both families from one port, and hears who answers', async () => {
    const echo = (lent: Uint8Array, from: Address, at: UdpListening) => void at.send(lent, from)
    const four = await listening({ host: '127.0.0.1', port: 0 }, echo)
    const six = await listening({ host: '::1', port: 0 }, echo)
    const conn = await dialled()
    for (const { address } of [four, six]) {
      const answer = next(conn)
      expect(conn.send(text(address.host), address)).toBe(true)
      expect(await answer).toEqual([address.host, address])
    }
    expect(conn.info).toMatchObject({ encoding: 'udp', layers: ['udp'], remote: '' })
    expect(parseAddress(conn.info.local)?.port).toBeGreaterThan(0)
  })

  it('takes what a stranger sends to it', async () => {
    const conn = await dialled()
    const stranger = await listening({ host: '127.0.0.1', port: 0 }, () => {})
    const got = next(conn)
    stranger.send(text('hello'), { host: '127.0.0.1', port: parseAddress(conn.info.local)!.port })
    expect(await got).toEqual(['hello', stranger.address])
  })

  it('drops and counts what is for a name, for port 0, for a unix socket, or for an impossible address', async () => {
    const conn = await dialled()
    const targets = [
      { host: 'localhost', port: 9 },
      { host: '127.0.0.1', port: 0 },
      { host: '300.1.1.1', port: 9 },
      { host: '', port: 9 },
    ]
    for (const to of targets) expect(conn.send(text('x'), to)).toBe(false)
    expect(conn.dropped).toBe(targets.length)
  })

  it('outlives a target that nobody listens on, and one that cannot be reached', async () => {
    const gone = await listening({ host: '127.0.0.1', port: 0 }, () => {})
    const { address } = gone
    gone.close()
    const live = await listening({ host: '127.0.0.1', port: 0 }, (lent, from, at) => void at.send(lent, from))
    const conn = await dialled()
    for (let i = 0; i < 5; i++) conn.send(text('x'), address)
    conn.send(text('x'), { host: '255.255.255.255', port: 9 })
    await conn.closeWrite()
    expect(conn.gone).toBeUndefined()
    const other = await dialled()
    for (let i = 0; i < 5; i++) other.send(text('x'), address)
    const answer = next(other)
    other.send(text('still there'), live.address)
    expect((await answer)[0]).toBe('still there')
    // No broadcast without asking for it: the system refuses, and that is a drop too.
    expect(conn.dropped).toBe(1)
  })

  it('sends whatever the kernel takes, however much it is at once', async () => {
    const conn = await dialled()
    const count = Math.ceil(limits.udpUnsent / 1000) + 50
    const to = { host: '127.0.0.1', port: parseAddress(conn.info.local)!.port }
    for (let i = 0; i < count; i++) expect(conn.send(new Uint8Array(1000), to)).toBe(true)
    await conn.closeWrite()
    expect(conn.dropped).toBe(0)
  })

  it('holds no more for the kernel than its bound, and each as it was', async () => {
    const conn = await dialled()
    const at = await listening({ host: '127.0.0.1', port: 0 }, () => {})
    const queue: Uint8Array[] = []
    const took: ((error: Error | null, bytes: number) => void)[] = []
    const proto = Socket.prototype
    const full = [
      vi.spyOn(proto, 'send').mockImplementation((bytes: unknown, _port: unknown, _host: unknown, sent: unknown) => {
        queue.push(bytes as Uint8Array)
        took.push(sent as (typeof took)[number])
      }),
      vi.spyOn(proto, 'getSendQueueCount').mockImplementation(() => queue.length),
      vi.spyOn(proto, 'getSendQueueSize').mockImplementation(() => queue.reduce((sum, { length }) => sum + length, 0)),
    ]
    try {
      const size = 1000
      const count = Math.ceil(limits.udpUnsent / size) + 50
      let refused = 0
      for (let i = 0; i < count; i++) if (!conn.send(new Uint8Array(size).fill(i), at.address)) refused++
      expect(refused).toBe(count - Math.floor(limits.udpUnsent / size))
      expect(conn.dropped).toBe(refused)
      expect(queue.every((bytes, i) => bytes.every((byte) => byte === (i & 255)))).toBe(true)
      const flushed = conn.closeWrite()
      for (const [i, done] of took.entries()) {
        queue.shift()
        done(i === 0 ? new Error('no') : null, size)
      }
      await flushed
      expect(conn.dropped).toBe(refused + 1)
    } finally {
      for (const spy of full) spy.mockRestore()
    }
  })

  it('is not opened when that is over already', async () => {
    const life = new Life()
    const why = new Error('never mind')
    life.end(why)
    await expect(udpDialer().open({ until: life })).rejects.toBe(why)
    const late = new Life()
    const opening = udpDialer().open({ until: late })
    late.end(why)
    await expect(opening).rejects.toBe(why)
  })
})

describe('a UDP listener', () => {
  it('hears IPv4 on all addresses as IPv4, and answers from the port that was asked', async () => {
    const heard: Address[] = []
    const all = await listening({ host: '::', port: 0 }, (lent, from, at) => {
      heard.push(from)
      at.send(lent, from)
    })
    const conn = await dialled()
    const to = { host: '127.0.0.1', port: all.address.port }
    const answer = next(conn)
    conn.send(text('a'), to)
    expect(await answer).toEqual(['a', to])
    expect(heard).toEqual([{ host: '127.0.0.1', port: parseAddress(conn.info.local)!.port }])
  })

  it('says what is wrong with an address that it cannot have', async () => {
    const first = await listening({ host: '127.0.0.1', port: 0 }, () => {})
    const failure = udpListener().listen(first.address, () => {})
    await expect(failure).rejects.toMatchObject({ code: 'LISTEN_FAILED', hint: /another program/ })
    await expect(failure).rejects.toThrow(/\(UDP\): address already in use/)
    await expect(udpListener().listen({ host: '192.0.2.1', port: 0 }, () => {})).rejects.toMatchObject({
      hint: /does not belong/,
    })
  })

  it('gives its address free when it is closed, and drops what is sent afterwards', async () => {
    const first = await listening({ host: '127.0.0.1', port: 0 }, () => {})
    first.close()
    first.close()
    expect(first.send(text('x'), first.address)).toBe(false)
    expect(first.dropped).toBe(1)
    const again = await listening(first.address, () => {})
    expect(again.address).toEqual(first.address)
  })

  it('keeps the addresses of its sources as objects that are made once', async () => {
    const seen: Address[] = []
    const at = await listening({ host: '127.0.0.1', port: 0 }, (_lent, from) => void seen.push(from))
    const clients = [createSocket('udp4'), createSocket('udp4')]
    for (let i = 0; i < 4; i++) {
      await new Promise((sent) => clients[i % 2]!.send('x', at.address.port, '127.0.0.1', sent))
    }
    await expect.poll(() => seen.length).toBe(4)
    expect(seen[2]).toBe(seen[0])
    expect(seen[3]).toBe(seen[1])
    for (const client of clients) client.close()
  })
})

describe('addresses of this machine', () => {
  it('are what a socket sends from, and which family it speaks', async () => {
    const conn = await udpDialer({ localAddress: () => '127.0.0.5' }).open({ until: forever })
    open.push(conn)
    const came = new Promise<Address>((resolve) => {
      void listening({ host: '127.0.0.1', port: 0 }, (_, from) => resolve(from)).then(({ address }) => {
        expect(conn.send(Uint8Array.of(1), { host: '::1', port: address.port })).toBe(false)
        expect(conn.send(Uint8Array.of(1), address)).toBe(true)
      })
    })
    expect((await came).host).toBe('127.0.0.5')
    await expect(udpDialer({ localAddress: () => '192.0.2.1' }).open({ until: forever })).rejects.toMatchObject({
      message: expect.stringContaining('by UDP from 192.0.2.1'),
    })
  })
})
