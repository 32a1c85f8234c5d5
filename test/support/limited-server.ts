/** A server in this process with one user, a target behind it, and clients that connect from any address of the loopback. */

import { type AddressInfo, createServer, connect as dialTcp, type Socket } from 'node:net'
import type { Account } from '../../src/account/account.ts'
import { systemEnv } from '../../src/app/env.ts'
import { Instance } from '../../src/app/instance.ts'
import { sessionLog } from '../../src/app/log/session-log.ts'
import { parseId } from '../../src/app/users/ids.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import type { Conn } from '../../src/core/conn.ts'
import type { Dialer } from '../../src/core/dialer.ts'
import { lifetimeOf } from '../../src/core/lifetime.ts'
import type { UserLimits } from '../../src/core/user-limits.ts'
import { StreamConn } from '../../src/net/streams/stream-conn.ts'
import { createVmessOutbound } from '../../src/proxy/vmess/outbound.ts'
import { type LogLine, recordingLog } from './vmess-servers.ts'

const id = '27848739-7e62-4138-9fd3-098a63964b6b'
const email = 'alice@example.com'

export interface LimitedServer {
  readonly instance: Instance
  readonly account: Account
  readonly log: readonly LogLine[]
  /** Changes some of the user's limits. */
  change(limits: Partial<UserLimits>): void
  /** A connection of the user to the target, which has said hello. Rejects when it is refused. */
  open(from?: string): Promise<Conn>
  /** What the target has of its clients; set `paused` to stop it from reading. */
  readonly target: { readonly sockets: Set<Socket>; received: number; paused: boolean }
  close(): Promise<void>
}

/**
 * The target says "h" to everybody, sends as fast as it can to who says "d", and says everything else back.
 */
export async function limitedServer(limits: object, policy: object = {}): Promise<LimitedServer> {
  const target = { sockets: new Set<Socket>(), received: 0, paused: false }
  const block = Buffer.alloc(65_536)
  const listener = createServer({ noDelay: true }, (socket) => {
    target.sockets.add(socket)
    socket.on('error', () => {}).on('close', () => target.sockets.delete(socket))
    socket.write('h')
    let sending = false
    const send = () => {
      while (!socket.destroyed && socket.write(block));
    }
    socket.on('drain', () => sending && send())
    socket.on('data', (data) => {
      target.received += data.length
      if (target.paused) socket.pause()
      else if (data.toString() === 'd') {
        sending = true
        send()
      } else socket.write(data)
    })
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const to = { host: '127.0.0.1', port: (listener.address() as AddressInfo).port }

  const { log, lines } = recordingLog()
  const env = systemEnv(log)
  const { config, problems } = loadConfigValue({
    policy,
    inbounds: [
      {
        tag: 'in',
        listen: '127.0.0.1',
        port: 0,
        protocol: 'vmess',
        settings: { clients: [{ id, email, limits }] },
      },
    ],
    outbounds: [{ protocol: 'freedom', tag: 'direct' }],
  })
  if (!config) throw new Error(problems.map(({ message }) => message).join('\n'))
  const instance = new Instance(config, { env, observers: [sessionLog(log, env.clock)] })
  await instance.start()
  const server = instance.listening[0]!.address
  const account = instance.accounts.get(email)!
  const clients = new Set<Conn>()

  const open = async (from = '127.0.0.1') => {
    const users = [
      {
        id: parseId(id),
        alterId: 0,
        level: 0,
        email: '',
        security: 'aes-128-gcm' as const,
        experiments: { authenticatedLength: false, noTerminationSignal: false },
      },
    ]
    const deps = { env: systemEnv(), auto: 'aes-128-gcm' as const, legacyHeader: false, dialer: dialerFrom(from) }
    const outbound = createVmessOutbound('client', { servers: [{ address: server, users }] }, deps)
    const conn = await outbound.dial(to, { until: lifetimeOf(AbortSignal.timeout(10_000)) })
    clients.add(conn)
    const hello = await conn.read()
    if (!hello) throw new Error('the server ended the connection')
    return conn
  }

  return {
    instance,
    account,
    log: lines,
    target,
    open,
    change: (some) => account.change({ ...account.limits, ...some }),
    async close() {
      for (const conn of clients) conn.destroy()
      await instance.stop(0)
      for (const socket of target.sockets) socket.destroy()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}

const dialerFrom = (localAddress: string): Dialer => ({
  dial: ({ host, port }) =>
    new Promise((resolve, reject) => {
      const socket = dialTcp({ host, port, localAddress, allowHalfOpen: true, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(
          new StreamConn(socket, {
            remote: `${host}:${port}`,
            local: localAddress,
            layers: ['tcp'],
            halfClose: 'native',
          }),
        )
      })
    }),
})
