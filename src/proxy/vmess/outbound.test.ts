import { describe, expect, it } from 'vitest'
import { startMs, testServer, testUser } from '../../../test/support/vmess-pair.ts'
import { answers, type FakeNetwork, fakeNetwork, greeting, recordingLog } from '../../../test/support/vmess-servers.ts'
import type { Conn } from '../../core/conn.ts'
import type { Outbound } from '../../core/dialer.ts'
import type { Random } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { forever, Life, type Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { deadline, dialDeadline } from '../../core/time/deadline.ts'
import type { VmessServer } from '../../settings/model.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { createVmessOutbound } from './outbound.ts'

const target = { host: 'example.com', port: 443 }
const never = forever
const user = { ...testUser(), security: 'aes-128-gcm' } as const

const serverAt = (host: string, users: VmessServer['users'] = [user]): VmessServer => ({
  address: { host, port: 443 },
  users,
})

/** Real random bytes for headers, and pauses without jitter. */
const random: Random = { fill: (bytes) => fill.fill(bytes), below: (limit) => (limit > 200 ? 0 : fill.below(limit)) }
const fill = fakeRandom(3)

function setUp(hosts: readonly string[], network: FakeNetwork = fakeNetwork()) {
  const clock = fakeClock(startMs)
  const { log, lines } = recordingLog()
  const server = testServer([user], clock)
  const deps = {
    dialer: network.dialer,
    env: { clock, random, log },
    auto: 'aes-128-gcm',
    legacyHeader: false,
  } as const
  const outbound = createVmessOutbound('proxy', { servers: hosts.map((host) => serverAt(host)) }, deps)
  const works = (...names: string[]) => {
    for (const name of names) network.places.set(`${name}:443`, answers(server))
  }
  return { clock, lines, network, outbound, server, works }
}

/** One whole request. */
async function request(outbound: Outbound, until: Lifetime = never): Promise<string> {
  const conn = await outbound.dial(target, { until })
  await conn.write(new Uint8Array(1))
  const bytes = await conn.read()
  conn.destroy()
  return new TextDecoder().decode(bytes ?? undefined)
}

async function requests(outbound: Outbound, count: number): Promise<void> {
  for (let i = 0; i < count; i++) expect(await request(outbound)).toBe(greeting)
}

/** The dials since the last call. */
const takeDialed = (network: FakeNetwork) => network.dialed.splice(0).map((name) => name.replace(':443', ''))

describe('several servers', () => {
  it('take turns', async () => {
    const { network, outbound, works } = setUp(['a', 'b', 'c'])
    works('a', 'b', 'c')
    await requests(outbound, 7)
    expect(takeDialed(network)).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a'])
  })

  it('have their users picked at random', async () => {
    const network = fakeNetwork()
    const users = [1, 2, 3].map((i) => ({ ...user, id: new Uint8Array(16).fill(i), email: `${i}@home` }))
    const clock = fakeClock(startMs)
    const used: string[] = []
    const seen = ({ user: { email } }: { user: { email: string } }) => void used.push(email)
    network.places.set('a:443', answers(testServer(users, clock), { seen }))
    const env = { clock, random: fakeRandom(8), log: recordingLog().log }
    const deps = { dialer: network.dialer, env, auto: 'aes-128-gcm', legacyHeader: false } as const
    await requests(createVmessOutbound('proxy', { servers: [serverAt('a', users)] }, deps), 60)
    expect(new Set(used)).toEqual(new Set(['1@home', '2@home', '3@home']))
    expect(used.slice(0, 6)).not.toEqual(['1@home', '2@home', '3@home', '1@home', '2@home', '3@home'])
  })

  it('replace one that refuses, unnoticed, and pass it over for a while', async () => {
    const { clock, network, outbound, works } = setUp(['a', 'b', 'c'])
    works('b', 'c')
    await requests(outbound, 5)
    expect(takeDialed(network)).toEqual(['a', 'b', 'c', 'b', 'c', 'b'])
    clock.advance(1000)
    await requests(outbound, 3)
    expect(takeDialed(network)).toEqual(['c', 'a', 'b', 'c'])
    clock.advance(1999)
    await requests(outbound, 2)
    expect(takeDialed(network)).toEqual(['b', 'c'])
    works('a')
    clock.advance(1)
    await requests(outbound, 4)
    expect(takeDialed(network)).toEqual(['a', 'b', 'c', 'a'])
  })

  it('replace one that stays silent after 4 s, and the last one has all the time that is left', async () => {
    const { clock, network, outbound } = setUp(['a', 'b'], fakeNetwork({ 'a:443': 'silent', 'b:443': 'silent' }))
    const limit = dialDeadline(clock, never)
    let failure: unknown
    void request(outbound, limit.until).catch((error: unknown) => {
      failure = error
    })
    clock.advance(3999)
    await expect.poll(() => network.dialed).toEqual(['a:443'])
    clock.advance(1)
    await expect.poll(() => network.dialed).toEqual(['a:443', 'b:443'])
    clock.advance(11_999)
    await new Promise(setImmediate)
    expect(failure).toBeUndefined()
    clock.advance(1)
    await expect.poll(() => failure).toMatchObject({ code: 'DIAL_TIMEOUT', message: 'no connection within 16 s' })
  })

  it('count the time-out of the last one against it', async () => {
    const { clock, network, outbound, works } = setUp(['a', 'b'], fakeNetwork({ 'b:443': 'silent' }))
    const limit = dialDeadline(clock, never)
    const failed = expect(request(outbound, limit.until)).rejects.toMatchObject({ code: 'DIAL_TIMEOUT' })
    await expect.poll(() => network.dialed).toEqual(['a:443', 'b:443'])
    works('a')
    clock.advance(16_000)
    await failed
    takeDialed(network)
    await requests(outbound, 3)
    expect(takeDialed(network)).toEqual(['a', 'a', 'a'])
  })

  it('do not blame one that had little time before the dial as a whole was too late', async () => {
    const { clock, network, outbound, works } = setUp(['a', 'b'], fakeNetwork({ 'a:443': 'silent' }))
    const limit = deadline(clock, 3999, () => new ProxyError('DIAL_TIMEOUT', 'too late'))
    const failed = expect(request(outbound, limit.until)).rejects.toThrow('too late')
    clock.advance(3999)
    await failed
    works('a', 'b')
    await requests(outbound, 2)
    expect(takeDialed(network)).toEqual(['a', 'b', 'a'])
  })

  it.each([
    ['DNS_FAILED', 'the host name could not be resolved'],
    ['TLS_FAILED', 'TLS handshake failed'],
    ['DIAL_UNREACHABLE', 'no route to host'],
    ['CONN_RESET', 'reset'],
  ] as const)('replace one that fails by %s', async (code, message) => {
    const fail = () => {
      throw new ProxyError(code, message)
    }
    const { network, outbound, works } = setUp(['a', 'b'], fakeNetwork({ 'a:443': fail }))
    works('b')
    await requests(outbound, 3)
    expect(takeDialed(network)).toEqual(['a', 'b', 'b', 'b'])
  })

  it.each(['FD_EXHAUSTED', 'LOOP_DETECTED'] as const)('do not replace one for %s', async (code) => {
    const fail = () => {
      throw new ProxyError(code, 'not the server')
    }
    const { network, outbound, works } = setUp(['a', 'b'], fakeNetwork({ 'a:443': fail }))
    works('b')
    await expect(request(outbound)).rejects.toMatchObject({ code })
    await requests(outbound, 1)
    await expect(request(outbound)).rejects.toMatchObject({ code })
    expect(takeDialed(network)).toEqual(['a', 'b', 'a'])
  })

  it('do not replace one for a target that cannot be carried', async () => {
    const { network, outbound, works } = setUp(['a', 'b'])
    works('a', 'b')
    const dial = outbound.dial({ host: 'bücher.example', port: 1 }, { until: never })
    await expect(dial).rejects.toMatchObject({ code: 'ADDRESS_INVALID' })
    expect(takeDialed(network)).toEqual(['a'])
  })

  it('are all tried when all have failed, the soonest due first', async () => {
    const { clock, network, outbound, works } = setUp(['a', 'b', 'c'])
    await expect(request(outbound)).rejects.toMatchObject({ code: 'DIAL_REFUSED', message: /none of 3 servers.*c:443/ })
    expect(takeDialed(network)).toEqual(['a', 'b', 'c'])
    clock.advance(1000)
    works('b')
    await requests(outbound, 1) // a fails a second time
    takeDialed(network)
    network.places.delete('b:443')
    await expect(request(outbound)).rejects.toMatchObject({ code: 'DIAL_REFUSED' }) // c a second time, b a first time
    expect(takeDialed(network)).toEqual(['c', 'b', 'a'])
    await expect(request(outbound)).rejects.toMatchObject({ code: 'DIAL_REFUSED' })
    expect(takeDialed(network)[0]).toBe('b')
    works('a')
    expect(await request(outbound)).toBe(greeting)
    expect(takeDialed(network).at(-1)).toBe('a')
    await requests(outbound, 2)
    expect(takeDialed(network)).toEqual(['a', 'a'])
  })

  it('stop at once when the client goes away, and none is blamed', async () => {
    const { network, outbound, works } = setUp(['a', 'b'], fakeNetwork({ 'a:443': 'silent' }))
    works('b')
    const client = new Life()
    const dial = outbound.dial(target, { until: client })
    client.end(new ProxyError('DIAL_ABORTED', 'the client went away'))
    await expect(dial).rejects.toMatchObject({ code: 'DIAL_ABORTED', message: 'the client went away' })
    expect(takeDialed(network)).toEqual(['a'])
    works('a')
    await requests(outbound, 3)
    expect(takeDialed(network)).toEqual(['b', 'a', 'b'])
  })

  it('leave no timer behind', async () => {
    const { clock, outbound, works } = setUp(['a', 'b'])
    works('b')
    await requests(outbound, 1)
    expect(clock.pending).toBe(0)
  })

  it('do not replace one that closes without an answer', async () => {
    const mute = fakeNetwork({
      'a:443': (conn) => {
        void conn.read().then(() => conn.closeWrite())
      },
    })
    const { network, outbound, works } = setUp(['a', 'b'], mute)
    works('b')
    for (let i = 0; i < 2; i++) {
      await expect(request(outbound)).rejects.toMatchObject({ code: 'RESPONSE_MISSING' })
      await requests(outbound, 1)
    }
    expect(takeDialed(network)).toEqual(['a', 'b', 'a', 'b'])
  })

  it('give a reset before the answer the causes of an end without one, in what is read and in why it is gone', async () => {
    const { outbound } = setUp(['a'], fakeNetwork({ 'a:443': (conn) => void conn.read().then(() => conn.destroy()) }))
    const causes = { code: 'CONN_RESET', hint: expect.stringMatching(/id is unknown.*clock.*none and zero/) }
    for (const ask of [(conn: Conn) => conn.read(), (conn: Conn) => conn.drainTo(() => {})]) {
      const conn = await outbound.dial({ host: 'target', port: 80 }, { until: forever })
      await conn.write(new Uint8Array(1))
      await expect(ask(conn)).rejects.toMatchObject(causes)
      expect(conn.gone).toMatchObject(causes)
    }
  })

  it('are named in the log when passed over, once a minute, and when they are back', async () => {
    const { clock, lines, outbound, works } = setUp(['a', 'b'])
    works('b')
    for (let s = 0; s < 59; s++) {
      await requests(outbound, 2)
      clock.advance(1000)
    }
    expect(lines).toEqual([
      {
        level: 'warn',
        fields: { server: 'a:443', code: 'DIAL_REFUSED' },
        message: 'skipping the server for 1 s: cannot connect to a:443: connection refused',
      },
    ])
    clock.advance(60_000)
    await requests(outbound, 2)
    expect(lines.map(({ message }) => message.slice(0, 28))).toEqual([
      'skipping the server for 1 s:',
      'skipping the server for 60 s',
    ])
    works('a')
    clock.advance(60_000)
    await requests(outbound, 4)
    expect(lines.slice(2)).toEqual([{ level: 'info', fields: { server: 'a:443' }, message: 'server is back' }])
  })
})

describe('a single server', () => {
  it('is tried for every request, at once, and its own error comes out', async () => {
    const { lines, network, outbound, works } = setUp(['a'])
    const refused = { code: 'DIAL_REFUSED', message: 'cannot connect to a:443: connection refused' }
    for (let i = 0; i < 4; i++) await expect(request(outbound)).rejects.toMatchObject(refused)
    works('a')
    await requests(outbound, 2)
    expect(takeDialed(network)).toEqual(['a', 'a', 'a', 'a', 'a', 'a'])
    expect(lines).toEqual([])
  })

  it('has the whole time of the dial', async () => {
    const { clock, outbound } = setUp(['a'], fakeNetwork({ 'a:443': 'silent' }))
    const limit = dialDeadline(clock, never)
    const failed = expect(outbound.dial(target, { until: limit.until })).rejects.toThrow('no connection within 16 s')
    clock.advance(16_000)
    await failed
  })
})

describe('silence', () => {
  const hang = (network: FakeNetwork) => network.places.set('a:443', () => {})
  const dial = async (outbound: Outbound) => {
    const conn = await outbound.dial(target, { until: never })
    await conn.write(new Uint8Array(1))
    return conn
  }

  it('of a server that never answered is a warning, whose first cause is the id', async () => {
    const { clock, lines, network, outbound } = setUp(['a'])
    hang(network)
    await outbound.dial(target, { until: never })
    clock.advance(limits.silenceMs - 1)
    expect(lines).toEqual([])
    clock.advance(1)
    expect(lines).toMatchObject([{ level: 'warn', message: 'no answer for 5 s', fields: { server: 'a:443' } }])
    expect(lines[0]!.fields.hint).toMatch(/order: the id is unknown/)
  })

  it('of one that answered before is noted, for a slow target; and is a warning when nobody is answered any more', async () => {
    const { clock, lines, network, outbound, works } = setUp(['a'])
    works('a')
    await request(outbound)
    hang(network)
    await dial(outbound)
    clock.advance(limits.silenceMs)
    expect(lines).toMatchObject([{ level: 'info', message: 'no answer for 5 s' }])
    expect(lines[0]!.fields.hint).toMatch(/order: the target is slow.*turns this user away.*removed/s)

    works('a')
    await request(outbound)
    hang(network)
    await dial(outbound)
    clock.advance(limits.silenceMs)
    expect(lines).toHaveLength(1)
    await dial(outbound)
    clock.advance(limits.silenceMs)
    expect(lines[1]).toMatchObject({ level: 'warn', message: 'no answer for 5 s' })
    expect(lines[1]!.fields.hint).toMatch(/turns this user away/)

    // Once a minute.
    for (let i = 0; i < 3; i++) await dial(outbound)
    clock.advance(limits.silenceMs)
    expect(lines).toHaveLength(2)
    clock.advance(60_000)
    await dial(outbound)
    clock.advance(limits.silenceMs)
    expect(lines).toHaveLength(3)
  })

  describe('of a server that never answered', () => {
    /** What became of a connection, once it ended. */
    const fate = (conn: Conn) => {
      const seen: { failure?: unknown } = {}
      conn.read().catch((error: unknown) => {
        seen.failure = error
      })
      return seen
    }
    const passes = async (clock: { advance(ms: number): void }, ms: number) => {
      clock.advance(ms)
      await new Promise(setImmediate)
    }
    const due = limits.firstPayloadWaitMs + limits.silenceMs

    it('ends a request with the likely causes', async () => {
      const { clock, lines, network, outbound } = setUp(['a'])
      hang(network)
      const seen = fate(await dial(outbound))
      await passes(clock, due - 1)
      expect(seen.failure).toBeUndefined()
      await passes(clock, 1)
      expect(seen.failure).toMatchObject({
        code: 'RESPONSE_MISSING',
        message: 'the server has not answered within 5 s, nor ever before',
        hint: expect.stringMatching(/order: the id is unknown/),
      })
      expect(lines, 'the causes are told once').toEqual([])
      expect(clock.pending).toBe(0)
    })

    it('ends none once it has answered another one', async () => {
      const { clock, network, outbound, works } = setUp(['a'])
      hang(network)
      const slow = fate(await dial(outbound))
      works('a')
      await request(outbound)
      hang(network)
      const slower = fate(await dial(outbound))
      await passes(clock, 60_000)
      expect([slow.failure, slower.failure]).toEqual([undefined, undefined])
    })

    it('ends none that has sent nothing yet, or goes on sending, or sends much', async () => {
      const { clock, network, outbound } = setUp(['a'])
      hang(network)
      const waiting = await outbound.dial(target, { until: never })
      const sending = await dial(outbound)
      const upload = await outbound.dial(target, { until: never })
      void upload.write(new Uint8Array(limits.silentRequestMax + 1))?.catch(() => {}) // nobody reads it
      const fates = [waiting, sending, upload].map(fate)
      for (let i = 0; i < 4; i++) {
        await passes(clock, limits.silenceMs)
        await sending.write(new Uint8Array(1))
      }
      expect(fates.map(({ failure }) => failure)).toEqual([undefined, undefined, undefined])
      await waiting.write(new Uint8Array(1))
      await passes(clock, 2 * limits.silenceMs)
      expect(fates.map(({ failure }) => failure !== undefined)).toEqual([true, true, false])
    })

    it('ends no datagrams, which may need no answer', async () => {
      const { clock, network, outbound } = setUp(['a'])
      hang(network)
      const packets = await outbound.packets!.open({ until: never, first: target })
      packets.send(new Uint8Array(1), target)
      await passes(clock, 60_000)
      expect(packets.gone).toBeUndefined()
      packets.destroy()
    })
  })

  it('is none when the answer came, or the connection has ended', async () => {
    const { clock, lines, network, outbound, works } = setUp(['a'])
    works('a')
    const answered = await dial(outbound)
    await answered.read()
    hang(network)
    const ended = await dial(outbound)
    ended.destroy()
    clock.advance(limits.silenceMs)
    expect(lines).toEqual([])
    answered.destroy()
  })
})
