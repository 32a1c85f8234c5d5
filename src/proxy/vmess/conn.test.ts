import { describe, expect, it } from 'vitest'
import type { Conn } from '../../core/conn.ts'
import { ProxyError } from '../../core/errors.ts'
import { forever } from '../../core/lifetime.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { tcpDialer, tcpListener } from '../../net/tcp.ts'
import type { BodyOpener, BodySealer } from '../../protocol/vmess/body/body.ts'
import { ClientSession, type ClientSessionOptions } from '../../protocol/vmess/client.ts'
import { ReplayMemory, SessionHistory } from '../../protocol/vmess/replay.ts'
import { ServerSession } from '../../protocol/vmess/server.ts'
import { UserDirectory } from '../../protocol/vmess/users/directory.ts'
import type { VmessUser } from '../../settings/model.ts'
import { connSuite } from '../../testing/conn-suite.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { VmessConn } from './conn.ts'

type Kind = Pick<ClientSessionOptions, 'security'> & {
  alterId?: number
  noTerminationSignal?: boolean
  framedNone?: boolean
}

/** Both ends of a VMess stream over `[a, b]`. */
async function wrap([a, b]: [Conn, Conn], kind: Kind): Promise<{ a: VmessConn; b: VmessConn }> {
  const clock = fakeClock(1_700_000_000_000)
  const random = fakeRandom(1)
  const experiments = { authenticatedLength: false, noTerminationSignal: kind.noTerminationSignal ?? false }
  const user: VmessUser = {
    id: new Uint8Array(16).fill(3),
    alterId: kind.alterId ?? 0,
    level: 0,
    email: 'a@b',
    experiments,
  }
  const target = { host: 'example.com', port: 80 }
  const session = new ClientSession({
    user,
    security: kind.security,
    command: 'tcp',
    target,
    experiments,
    framedNone: kind.framedNone ?? false,
    clock,
    random,
  })
  const near = new VmessConn(a, { sealer: session.sealer, opener: session.opener, head: session.head() })
  near.flushHead()
  const users = new UserDirectory<VmessUser>([user])
  const server = new ServerSession({
    users,
    replay: new ReplayMemory(clock),
    history: new SessionHistory(clock),
    clock,
    random,
    disableInsecureEncryption: false,
  })
  for (;;) {
    const bytes = await b.read()
    if (!bytes) throw new Error('the header did not arrive')
    const request = server.push(bytes)
    if (!request) continue
    const { sealer, opener, rest } = request
    return { a: near, b: new VmessConn(b, { sealer, opener, head: request.responseHead(), rest }) }
  }
}

const overMemory = (kind: Kind) => async () => ({ ...(await wrap(memoryPair(), kind)), close: async () => {} })

async function tcpPair(): Promise<{ ends: [Conn, Conn]; close(): Promise<void> }> {
  let accepted: (conn: Conn) => void = () => {}
  const b = new Promise<Conn>((resolve) => {
    accepted = resolve
  })
  const listening = await tcpListener().listen({ host: '127.0.0.1', port: 0 }, (conn) => accepted(conn))
  const a = await tcpDialer().dial(listening.address, { until: forever })
  return { ends: [a, await b], close: () => listening.close() }
}

const overTcp = (kind: Kind) => async () => {
  const { ends, close } = await tcpPair()
  return { ...(await wrap(ends, kind)), close }
}

const options = { halfClose: true, test: { describe, it } }
connSuite('VMess aes-128-gcm over memory', overMemory({ security: 'aes-128-gcm' }), options)
connSuite(
  'VMess chacha20-poly1305, legacy header, over memory',
  overMemory({ security: 'chacha20-poly1305', alterId: 4 }),
  options,
)
connSuite('VMess aes-128-cfb over memory', overMemory({ security: 'aes-128-cfb' }), options)
connSuite('VMess framed none over memory', overMemory({ security: 'none', framedNone: true }), options)
connSuite('VMess zero over memory', overMemory({ security: 'zero' }), options)
connSuite(
  'VMess without termination signal over TCP',
  overTcp({ security: 'aes-128-gcm', noTerminationSignal: true }),
  options,
)
connSuite('VMess aes-128-gcm over TCP', overTcp({ security: 'aes-128-gcm' }), options)
connSuite('VMess none over TCP', overTcp({ security: 'none' }), options)

describe('VmessConn', () => {
  it('sends the header and the first payload in one write', async () => {
    const writes: number[] = []
    const [a, b] = memoryPair()
    const counting: Conn = {
      info: a.info,
      gone: undefined,
      onGone: (run) => a.onGone(run),
      read: () => a.read(),
      drainTo: (sink) => a.drainTo(sink),
      write(bytes, release) {
        writes.push(bytes.length)
        return a.write(bytes, release)
      },
      holdAtMost: (bytes) => a.holdAtMost(bytes),
      closeWrite: () => a.closeWrite(),
      destroy: (reason) => a.destroy(reason),
    }
    const user = { id: new Uint8Array(16), alterId: 0 }
    const experiments = { authenticatedLength: false, noTerminationSignal: false }
    const session = new ClientSession({
      user,
      security: 'aes-128-gcm',
      command: 'tcp',
      target: { host: '127.0.0.1', port: 80 },
      experiments,
      clock: fakeClock(0),
      random: fakeRandom(2),
    })
    const head = session.head()
    const conn = new VmessConn(counting, { sealer: session.sealer, opener: session.opener, head })
    await conn.write(new Uint8Array(10))
    conn.flushHead()
    expect(writes).toHaveLength(1)
    expect(writes[0]).toBeGreaterThan(head.length + 10 + 16)
    conn.destroy()
    b.destroy()
  })

  it('gives back what it was to write, also when that cannot be sealed', async () => {
    const [base] = memoryPair()
    const seal = (): never => {
      throw new ProxyError('PROTOCOL_MISUSE', 'no more chunks')
    }
    const sealer: BodySealer = { framed: true, maxSealed: (length) => length, seal, finish: () => 0 }
    const conn = new VmessConn(base, { sealer, opener: {} as BodyOpener, head: new Uint8Array(0) })
    const releases: string[] = []
    await expect(conn.write(new Uint8Array(1), () => void releases.push('seal'))).rejects.toThrow('no more chunks')
    await conn.closeWrite()
    await expect(conn.write(new Uint8Array(1), () => void releases.push('late'))).rejects.toThrow('closeWrite')
    expect(releases).toEqual(['seal', 'late'])
  })

  it('lists the likely causes when the server closes without an answer', async () => {
    const { a, b } = await wrap(memoryPair(), { security: 'aes-128-gcm' })
    const reading = a.read()
    b.destroy() // the response header was never written
    await expect(reading).rejects.toBeInstanceOf(Error)
    const [x, y] = memoryPair()
    const experiments = { authenticatedLength: false, noTerminationSignal: false }
    const session = new ClientSession({
      user: { id: new Uint8Array(16), alterId: 0 },
      security: 'aes-128-gcm',
      command: 'tcp',
      target: { host: '127.0.0.1', port: 80 },
      experiments,
      clock: fakeClock(0),
      random: fakeRandom(2),
    })
    const conn = new VmessConn(x, { sealer: session.sealer, opener: session.opener, head: session.head() })
    await y.closeWrite()
    await expect(conn.drainTo(() => {})).rejects.toMatchObject({
      code: 'RESPONSE_MISSING',
      hint: expect.stringMatching(/id.*clock/s),
    })
  })

  it('does not blame the target alone when the server closes on an account that it has answered before', async () => {
    const [x, y] = memoryPair()
    const session = new ClientSession({
      user: { id: new Uint8Array(16), alterId: 0 },
      security: 'aes-128-gcm',
      command: 'tcp',
      target: { host: '127.0.0.1', port: 80 },
      experiments: { authenticatedLength: false, noTerminationSignal: false },
      proven: true,
      clock: fakeClock(0),
      random: fakeRandom(2),
    })
    const conn = new VmessConn(x, { sealer: session.sealer, opener: session.opener, head: session.head() })
    await y.closeWrite()
    await expect(conn.drainTo(() => {})).rejects.toMatchObject({
      code: 'RESPONSE_MISSING',
      hint: expect.stringMatching(/target.*or the server turns this user away \(removed, expired, quota/s),
    })
  })
})
