/** The HTTP inbound between a client and origins of memory pairs. */

import { expect } from 'vitest'
import type { Conn } from '../../src/core/conn.ts'
import { type Env, silentLogger } from '../../src/core/env.ts'
import type { FlowRequest } from '../../src/core/session.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { createHttpInbound } from '../../src/proxy/http/inbound.ts'
import type { HttpInboundSettings } from '../../src/settings/model.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'
import { recordingIo, settled, Tap } from './inbound-io.ts'

/** A head of these lines. */
export const head = (...lines: string[]) => `${lines.join('\r\n')}\r\n\r\n`
export const KEEP = 'Proxy-Connection: keep-alive'
export const GET = head('GET http://origin/ HTTP/1.1', KEEP)
/** A refusal with its reason; every one has a body. */
export const refused = (status: string, reason: string): string =>
  head(
    `HTTP/1.1 ${status}`,
    'Connection: close',
    'Proxy-Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${reason.length + 1}`,
  ) +
  `${reason}
`
export const unavailable = (reason: string): string => refused('503 Service Unavailable', reason)
export const OK = head('HTTP/1.1 200 OK', 'Content-Length: 2', 'Connection: keep-alive', 'Keep-Alive: timeout=4', KEEP)

type Options = Partial<HttpInboundSettings> & { dial?: (request: FlowRequest) => Promise<Conn>; highWater?: number }

export function setUp({ dial, highWater, ...settings }: Options = {}) {
  const clock = fakeClock(0)
  const env: Env = { clock, random: fakeRandom(1), log: silentLogger }
  const [end, near] = memoryPair({ ...(highWater && { highWater }) })
  const origins: Tap[] = []
  const fars: Conn[] = []
  const io = recordingIo({
    clock,
    dial:
      dial ??
      (() => {
        const [far, originEnd] = memoryPair({ ...(highWater && { highWater }) })
        origins.push(new Tap(originEnd))
        fars.push(far)
        return far
      }),
  })
  const inbound = createHttpInbound({ logins: [], allowTransparent: false, level: 4, ...settings }, env)
  const serving = inbound.serve(near, io)
  const finish = async () => {
    end.destroy()
    for (const origin of origins) origin.conn.destroy()
    await serving
    expect(clock.pending, 'timers left').toBe(0)
  }
  return { clock, end, near, client: new Tap(end), io, origins, fars, serving, finish }
}

/** One plain GET with the origin's answer, which may end its connection; what the client got and how it stands then. */
export async function answered(answer: string, { request = GET, ends = false, cut = Number.POSITIVE_INFINITY } = {}) {
  const all = setUp()
  await all.client.send(request)
  await all.origins[0]!.send(answer, cut)
  if (ends) await all.origins[0]!.conn.closeWrite()
  await settled()
  const seen = { text: all.client.text, state: all.client.state }
  await all.finish()
  return seen
}
