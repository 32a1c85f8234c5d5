import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { onBun, unlessBun } from '../../test/support/runtime.ts'
import type { Address } from '../core/address.ts'
import type { Conn } from '../core/conn.ts'
import { forever, lifetimeOf } from '../core/lifetime.ts'
import { limits } from '../core/limits.ts'
import { connSuite } from '../testing/conn-suite.ts'
import { SocketConn } from './streams/socket-conn.ts'
import { type TcpOptions, tcpDialer, tcpListener } from './tcp.ts'

async function tcpPair(options: TcpOptions, path?: string) {
  let accepted: (conn: Conn) => void = () => {}
  const b = new Promise<Conn>((resolve) => {
    accepted = resolve
  })
  const at = { host: '127.0.0.1', port: 0, ...(path && { path }) }
  const listening = await tcpListener(options).listen(at, (conn) => accepted(conn))
  const a = await tcpDialer(options).dial(listening.address, { until: forever })
  return { a, b: await b, close: () => listening.close() }
}

const test = { describe, it }
connSuite('TCP with the shared read buffer', () => tcpPair({}), { halfClose: true, test })
connSuite('TCP by ordinary streams', () => tcpPair({ lending: false }), { halfClose: true, test })
connSuite('unix socket', () => tcpPair({}, `\0vmess-test-${process.pid}-${Math.random()}`), { halfClose: true, test })

describe('tcp', () => {
  unlessBun('no user buffer for reads')(
    'uses the shared read buffer at both ends where the runtime has it',
    async () => {
      const { a, b, close } = await tcpPair({})
      expect(a).toBeInstanceOf(SocketConn)
      expect(b).toBeInstanceOf(SocketConn)
      a.destroy()
      b.destroy()
      await close()
    },
  )

  unlessBun('no user buffer for reads')(
    'reads no more at a time than it is told, each connection as it was told',
    async () => {
      let size = 32_736
      const readSize = () => size
      const small = await tcpPair({ readSize })
      size = 16_368
      const smaller = await tcpPair({ readSize })
      const large = await tcpPair({})
      const most = []
      for (const { a, b, close } of [small, smaller, large]) {
        let left = 2 * 1024 * 1024
        let largest = 0
        const reading = b.drainTo((lent) => {
          left -= lent.length
          largest = Math.max(largest, lent.length)
        })
        for (let sent = 0; sent < 2 * 1024 * 1024; sent += 65_536) await a.write(new Uint8Array(65_536))
        await a.closeWrite()
        await reading
        expect(left).toBe(0)
        most.push(largest)
        a.destroy()
        b.destroy()
        await close()
      }
      expect(most.slice(0, 2)).toEqual([32_736, 16_368])
      expect(most[2]).toBeGreaterThan(32_736)
    },
  )

  unlessBun('no user buffer for reads')(
    'reads little at first, for a handshake or during a dial, and much once somebody takes it',
    async () => {
      const { a, b, close } = await tcpPair({})
      const sending = (async () => {
        for (let sent = 0; sent < 4 * 1024 * 1024; sent += 65_536) await a.write(new Uint8Array(65_536))
        await a.closeWrite()
      })()
      let left = 4 * 1024 * 1024
      const take = (bytes: Uint8Array): number => {
        left -= bytes.length
        return bytes.length
      }
      expect(take((await b.read())!)).toBeLessThanOrEqual(limits.firstRead)
      let largest = 0
      await b.drainTo((lent) => {
        largest = Math.max(largest, take(lent))
      })
      await sending
      expect(left).toBe(0)
      expect(largest).toBeGreaterThan(2 * limits.firstRead)
      for (const conn of [a, b]) conn.destroy()
      await close()
    },
  )

  it('reads much for a reader, too, once no handshake has as many bytes', async () => {
    const { a, b, close } = await tcpPair({})
    const sending = (async () => {
      for (let sent = 0; sent < 4 * 1024 * 1024; sent += 65_536) await a.write(new Uint8Array(65_536))
      await a.closeWrite()
    })()
    let largest = 0
    for (let bytes = await b.read(); bytes; bytes = await b.read()) largest = Math.max(largest, bytes.length)
    await sending
    expect(largest).toBeGreaterThan(2 * limits.firstRead)
    for (const conn of [a, b]) conn.destroy()
    await close()
  })

  it('names both endpoints', async () => {
    const { a, b, close } = await tcpPair({})
    expect(a.info.remote).toBe(b.info.local)
    expect(b.info.remote).toBe(a.info.local)
    expect(a.info.layers).toEqual(['tcp'])
    a.destroy()
    b.destroy()
    await close()
  })

  it('keeps many sockets apart that read into one buffer at once', async () => {
    const pairs = await Promise.all(Array.from({ length: 20 }, () => tcpPair({})))
    await Promise.all(
      pairs.map(async ({ a, b }, n) => {
        const total = 600_000
        let got = 0
        const reading = b.drainTo(async (lent) => {
          for (let i = 0; i < lent.length; i += 997)
            if (lent[i] !== ((got + i) * 7 + n) % 251) throw new Error('mixed up')
          got += lent.length
          if (n % 3 === 0) await Promise.resolve()
        })
        for (let at = 0; at < total; at += 30_000) {
          await a.write(Uint8Array.from({ length: 30_000 }, (_, i) => ((at + i) * 7 + n) % 251))
        }
        await a.closeWrite()
        await reading
        expect(got).toBe(total)
      }),
    )
    for (const { a, b, close } of pairs) {
      a.destroy()
      b.destroy()
      await close()
    }
  })

  it('says that nobody listens', async () => {
    const { a, b, close } = await tcpPair({})
    const port = Number(a.info.remote.split(':')[1])
    a.destroy()
    b.destroy()
    await close()
    const dial = tcpDialer().dial({ host: '127.0.0.1', port }, { until: forever })
    await expect(dial).rejects.toMatchObject({
      code: 'DIAL_REFUSED',
      message: `cannot connect to 127.0.0.1:${port}: connection refused`,
    })
  })

  it('says that an address is taken', async () => {
    const first = await tcpListener().listen({ host: '127.0.0.1', port: 0 }, () => {})
    const second = tcpListener().listen(first.address, () => {})
    await expect(second).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      hint: expect.stringContaining('another program'),
    })
    await first.close()
  })

  it('takes no name: the look-up that Node would make holds a thread', async () => {
    const dial = tcpDialer().dial({ host: 'localhost', port: 9 }, { until: forever })
    await expect(dial).rejects.toMatchObject({ code: 'DNS_FAILED' })
  })

  it('stops a dial that is given up', async () => {
    const controller = new AbortController()
    const dial = tcpDialer().dial({ host: '127.0.0.1', port: 9 }, { until: lifetimeOf(controller.signal) })
    controller.abort(new Error('enough'))
    await expect(dial).rejects.toThrow('enough')
  })

  const somaxconn = process.platform === 'linux' ? Number(readFileSync('/proc/sys/net/core/somaxconn')) : 0
  // Bun has a length of its own for the queue.
  it.runIf(somaxconn >= 1_000 && !onBun)(
    'has the kernel hold more clients than Node would, while this thread is busy',
    async () => {
      const listening = await tcpListener().listen({ host: '127.0.0.1', port: 0 }, (conn) => conn.destroy())
      const script = `
      const [port, count] = process.argv.slice(1)
      let connected = 0
      const told = () => { console.log(connected); process.exit() }
      for (let i = 0; i < count; i++) {
        require('net').connect(port, '127.0.0.1').on('error', () => {}).on('connect', () => ++connected == count && told())
      }
      setTimeout(told, 5_000)`
      // Nothing is accepted meanwhile: spawnSync() stops this thread.
      const { stdout } = spawnSync(process.execPath, ['-e', script, String(listening.address.port), '700'])
      expect(Number(stdout)).toBe(700)
      await listening.close()
    },
  )

  it('notices a peer that resets while nobody reads', async () => {
    const { a, b, close } = await tcpPair({})
    const gone = new Promise<void>((resolve) => b.onGone(() => resolve()))
    await a.write(new Uint8Array(10))
    expect(await b.read()).toHaveLength(10)
    ;(a as SocketConn & { stream: { resetAndDestroy(): void } }).stream.resetAndDestroy()
    await gone
    b.destroy()
    await close()
  })
})

describe('addresses of this machine', () => {
  const through = async (options: TcpOptions, to: Address): Promise<string> => {
    const conn = await tcpDialer(options).dial(to, { until: forever })
    const { local } = conn.info
    conn.destroy()
    return local
  }

  it('are what a connection leaves from, as far as they are of the family and ours', async () => {
    const { address, close } = await tcpListener().listen({ host: '127.0.0.1', port: 0 }, (conn) => conn.destroy())
    expect(await through({ localAddress: () => '127.0.0.5' }, address)).toMatch(/^127\.0\.0\.5:/)
    await expect(through({ localAddress: () => '::1' }, address)).rejects.toMatchObject({ code: 'DIAL_UNREACHABLE' })
    await expect(through({ localAddress: () => '192.0.2.1' }, address)).rejects.toMatchObject({
      code: 'DIAL_FAILED',
      message: 'no connection can leave from 192.0.2.1: it is no address of this machine',
    })
    await close()
  })

  it('of IPv6 take no IPv4 where that is asked for', async ({ skip }) => {
    const listener = tcpListener({ ipv6Only: true })
    const listening = await listener.listen({ host: '::', port: 0 }, (conn) => conn.destroy()).catch(() => undefined)
    if (!listening) return skip()
    const { port } = listening.address
    await expect(through({}, { host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'DIAL_REFUSED' })
    await listening.close()
  })
})
