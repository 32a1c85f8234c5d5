/** Every transport against the real V2Ray, in both roles where it has it, and against ourselves: all of `fullPlan`, byte-exact. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCell } from './rig/cell.ts'
import type { Root } from './rig/configs.ts'
import { hasV2ray, type Program } from './rig/harness.ts'
import { startTarget, type Target } from './target.ts'

interface Row {
  readonly name: string
  readonly server: Root
  readonly client?: Root
  readonly tls?: boolean
  readonly security?: string
  /** Client and server. */
  readonly pairings: readonly (readonly [Program, Program])[]
}

const ours = [['ours', 'ours']] as const
const both = [['ours', 'v2ray'], ['v2ray', 'ours'], ...ours] as const
const ws = (wsSettings: object): Root => ({ network: 'ws', wsSettings })
const xhttp = (xhttpSettings: object): Root => ({ network: 'xhttp', xhttpSettings })
const up = (httpupgradeSettings: object): Root => ({ network: 'httpupgrade', httpupgradeSettings })
const disguised = { type: 'http', request: { path: ['/a', '/b'], headers: { Host: ['x.example'] } }, response: {} }
const tcp = (header: object): Root => ({ network: 'tcp', tcpSettings: { header } })
const headers = { Host: 'front.example' }

const rows: readonly Row[] = [
  { name: 'tcp + http header', server: tcp(disguised), pairings: both },
  { name: 'tcp + http header, as it comes, over TLS', server: tcp({ type: 'http' }), tls: true, pairings: both },
  { name: 'ws', server: ws({ path: '/ray' }), client: ws({ path: '/ray', headers }), pairings: both },
  { name: 'ws over TLS', server: ws({ path: '/ray', headers }), tls: true, pairings: both },
  // Without a terminator in the body: there is no half-close, so the idle limits end the connections.
  { name: 'ws, none', server: ws({}), security: 'none', pairings: both },
  // V2Ray 4.34 sends what it is given as path, and has no word for early data in JSON.
  {
    name: 'ws, ?ed= of V2Ray 4',
    server: ws({ path: '/ray?ed=2048' }),
    pairings: [['v2ray', 'ours'], ...ours],
  },
  { name: 'ws, ed in the header', server: ws({ path: '/ray' }), client: ws({ path: '/ray?ed=2048' }), pairings: ours },
  { name: 'ws, ed in the path, with Pings', server: ws({ maxEarlyData: 100, heartbeatPeriod: 1 }), pairings: ours },
  { name: 'xhttp, packet-up', server: xhttp({ path: '/x' }), pairings: ours },
  { name: 'xhttp, stream-up over TLS', server: xhttp({ path: '/x', mode: 'stream-up' }), tls: true, pairings: ours },
  { name: 'httpupgrade', server: up({ path: '/up', host: 'front.example' }), pairings: ours },
  { name: 'httpupgrade over TLS, opened fast', server: up({ path: '/up?ed=2560' }), tls: true, pairings: ours },
]

let target: Target
beforeAll(async () => {
  target = await startTarget()
})
afterAll(() => target.close())

if (!hasV2ray) {
  it('has V2Ray to talk to', () => {
    if (process.env.CI === 'true') expect.fail('v2ray is not on the PATH, and CI does not skip interoperability')
    console.warn('\n*** v2ray is not on the PATH: transports are tested against ourselves only ***\n')
  })
}

describe.each(rows)('$name', ({ server, client = server, tls = false, security, pairings }) => {
  it.each(pairings.filter((pair) => hasV2ray || !(pair as readonly Program[]).includes('v2ray')))('%s to %s', {
    timeout: 90_000,
  }, async (...pair) => {
    const [from, to] = pair as readonly [Program, Program]
    await runCell(
      { inside: true, client: from, server: to, carrier: { server, client }, tls, ...(security && { security }) },
      target,
    )
  })
})
