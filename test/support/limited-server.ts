/** A server in this process with one user, a target behind it, and clients that connect from any address of the loopback. */

import type { Account } from '../../src/account/account.ts'
import { systemEnv } from '../../src/app/instance/env.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { sessionLog } from '../../src/app/log/session-log.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import type { Conn } from '../../src/core/conn.ts'
import type { UserLimits } from '../../src/core/user-limits.ts'
import { type TalkTarget, talkTarget } from './talk-target.ts'
import { openAs } from './user-client.ts'
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
  readonly target: TalkTarget
  close(): Promise<void>
}

/** The target is a talkTarget(). */
export async function limitedServer(limits: object, policy: object = {}): Promise<LimitedServer> {
  const target = await talkTarget()
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
    const conn = await openAs(id, server, target.address, from)
    clients.add(conn)
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
      await target.close()
    },
  }
}
