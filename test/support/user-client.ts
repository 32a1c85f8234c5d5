/** A VMess client of one user, that connects from any address of the loopback. */
import { connect as dialTcp } from 'node:net'
import { systemEnv } from '../../src/app/instance/env.ts'
import { parseId } from '../../src/app/users/ids.ts'
import type { Address } from '../../src/core/address.ts'
import type { Conn } from '../../src/core/conn.ts'
import type { Dialer } from '../../src/core/dialer.ts'
import { lifetimeOf } from '../../src/core/lifetime.ts'
import { StreamConn } from '../../src/net/streams/stream-conn.ts'
import { createVmessOutbound } from '../../src/proxy/vmess/outbound.ts'

/** A connection of the user to a target that says something first. Rejects when it is refused. */
export async function openAs(id: string, server: Address, to: Address, from = '127.0.0.1'): Promise<Conn> {
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
  const hello = await conn.read()
  if (!hello) throw new Error('the server ended the connection')
  return conn
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
