/** Places that a VMess client may dial, without a network: each refuses, is silent, or runs what it is given. */

import { formatAddress } from '../../src/core/address.ts'
import type { Conn } from '../../src/core/conn.ts'
import type { Dialer } from '../../src/core/dialer.ts'
import type { LogFields, Logger } from '../../src/core/env.ts'
import { ProxyError } from '../../src/core/errors.ts'
import { abortError } from '../../src/net/errors.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import type { ServerRequest } from '../../src/protocol/vmess/server-request.ts'
import type { SwitchAccount } from '../../src/protocol/vmess/switch-account.ts'
import { sealAll, type TestServer } from './vmess-pair.ts'

export type Place = 'refuses' | 'silent' | ((conn: Conn) => void)

export interface FakeNetwork {
  readonly dialer: Dialer
  /** `host:port` of every dial so far. */
  readonly dialed: string[]
  /** What is where; everywhere else connections are refused. */
  readonly places: Map<string, Place>
}

export function fakeNetwork(places: Readonly<Record<string, Place>> = {}): FakeNetwork {
  const network: FakeNetwork = {
    dialed: [],
    places: new Map(Object.entries(places)),
    dialer: {
      async dial(to, { until }) {
        const name = formatAddress(to)
        network.dialed.push(name)
        if (until.gone) throw abortError(until.gone, name)
        const place = network.places.get(name) ?? 'refuses'
        if (place === 'refuses') throw new ProxyError('DIAL_REFUSED', `cannot connect to ${name}: connection refused`)
        if (place === 'silent') {
          return new Promise((_, reject) => {
            until.onGone((why) => reject(abortError(why, name)))
          })
        }
        const [near, far] = memoryPair({ info: [{ remote: name }, {}] })
        place(far)
        return near
      },
    },
  }
  return network
}

export interface AnswerOptions {
  /** Goes into the response header. */
  readonly command?: () => SwitchAccount | undefined
  readonly seen?: (request: ServerRequest) => void
}

/** What this server says to everybody. */
export const greeting = 'hello'

/** A place where `server` accepts requests and answers each with the greeting. */
export function answers(server: TestServer, options: AnswerOptions = {}): Place {
  return (conn) => void answer(conn, server, options).catch(() => conn.destroy())
}

async function answer(conn: Conn, server: TestServer, { command, seen }: AnswerOptions): Promise<void> {
  const session = server.accept()
  for (;;) {
    const bytes = await conn.read()
    if (!bytes) return conn.destroy()
    const request = session.push(bytes)
    if (!request) continue
    seen?.(request)
    await conn.write(request.responseHead(command?.()))
    await conn.write(sealAll(request.sealer, [new TextEncoder().encode(greeting)]))
    await conn.closeWrite()
    return
  }
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: LogFields
  readonly message: string
}

export function recordingLog(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = []
  const at = (level: LogLine['level']) => (fields: LogFields, message: string) =>
    void lines.push({ level, fields, message })
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
}
