/** h2 and gRPC: against the real V2Ray, which has h2, in both roles, and against ourselves; streams, streams that share one, datagrams. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { socksUdp } from '../support/socks-udp.ts'
import { pattern, udpEcho } from '../support/udp.ts'
import { runCell } from './rig/cell.ts'
import type { Root } from './rig/configs.ts'
import { hasV2ray, type Program } from './rig/harness.ts'
import { type PairSpec, withPair } from './rig/pair.ts'
import { startTarget, type Target } from './target.ts'

interface Row {
  readonly name: string
  readonly server: Root
  readonly client?: Root
  readonly tls?: boolean
  /** Client and server. */
  readonly pairings: readonly (readonly [Program, Program])[]
}

const ours = [['ours', 'ours']] as const
const grpc = (grpcSettings: object): Root => ({ network: 'grpc', grpcSettings })
const h2 = (httpSettings: object): Root => ({ network: 'h2', httpSettings })

const rows: readonly Row[] = [
  {
    name: 'h2 over TLS',
    server: h2({ host: ['a.example', 'b.example'], path: '/h2' }),
    tls: true,
    pairings: [['ours', 'v2ray'], ['v2ray', 'ours'], ...ours],
  },
  // V2Ray 4.34 serves it without TLS, and does not dial so.
  { name: 'h2', server: h2({ host: ['a.example'] }), pairings: [['ours', 'v2ray'], ...ours] },
  { name: 'grpc', server: grpc({ serviceName: 'svc' }), pairings: ours },
  {
    name: 'grpc in multi mode over TLS',
    server: grpc({ serviceName: '/a/b|c' }),
    client: grpc({ serviceName: '/a/c', multiMode: true }),
    tls: true,
    pairings: ours,
  },
]

let target: Target
let echo: Awaited<ReturnType<typeof udpEcho>>
beforeAll(async () => {
  target = await startTarget()
  echo = await udpEcho()
})
afterAll(() => Promise.all([target.close(), echo.close()]))

const specOf = ({ server, client = server, tls = false }: Row): Omit<PairSpec, 'client' | 'server'> => ({
  inside: true,
  carrier: { server, client },
  tls,
})

describe.each(rows)('$name', (row) => {
  it.each(row.pairings.filter((pair) => hasV2ray || !(pair as readonly Program[]).includes('v2ray')))('%s to %s', {
    timeout: 90_000,
  }, async (...pair) => {
    const [client, server] = pair as readonly [Program, Program]
    await runCell({ ...specOf(row), client, server }, target)
  })
})

describe.each(rows.filter(({ name }) => name === 'h2 over TLS' || name === 'grpc'))('on top of $name', (row) => {
  const spec = { ...specOf(row), client: 'ours', server: 'ours' } as const

  it('streams by Mux.Cool', { timeout: 60_000 }, async () => {
    await runCell({ ...spec, outboundExtra: { mux: { enabled: true, concurrency: 8 } } }, target)
  })

  it('datagrams', { timeout: 60_000 }, () =>
    withPair(spec, async ({ doorPort }) => {
      const socks = await socksUdp(doorPort)
      try {
        for (const size of [1, 512, 1400]) {
          socks.send(pattern(size), echo)
          expect((await socks.next()).bytes, `${size} bytes`).toEqual(pattern(size))
        }
      } finally {
        socks.close()
      }
    }),
  )
})
