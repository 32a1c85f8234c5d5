/**
 * Every body and header form against the real V2Ray, in both roles. Each cell has fresh proxies (V2Ray in a process, ours
 * in this one) and carries all of `fullPlan`, byte-exact. V2Ray's replay filter is probabilistic and refuses an honest client now and then: a cell with
 * V2Ray as server whose log shows that is run once more, and the table says so.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCell } from './rig/cell.ts'
import { hasV2ray, type Program } from './rig/harness.ts'
import type { PairSpec } from './rig/pair.ts'
import { startTarget, type Target } from './target.ts'

const pairings = [
  { name: 'ours to V2Ray', client: 'ours', server: 'v2ray' },
  { name: 'V2Ray to ours', client: 'v2ray', server: 'ours' },
  { name: 'ours to ours', client: 'ours', server: 'ours' },
] as const satisfies readonly { name: string; client: Program; server: Program }[]

type PairingName = (typeof pairings)[number]['name']

interface Row {
  readonly name: string
  readonly link: Omit<PairSpec, 'client' | 'server'>
  readonly pairings: readonly PairingName[]
}

const everyPairing = pairings.map((pairing) => pairing.name)

const rows: readonly Row[] = [
  ...['aes-128-gcm', 'chacha20-poly1305', 'auto', 'none'].flatMap((security) =>
    [0, 16].map((alterId) => ({
      name: `${security}, alterId ${alterId}`,
      link: { security, alterId },
      pairings: everyPairing,
    })),
  ),
  // V2Ray's client has no word for it, its server reads it.
  { name: 'aes-128-cfb', link: { security: 'aes-128-cfb' }, pairings: ['ours to V2Ray', 'ours to ours'] },
  // V2Ray 4.34 knows none of these.
  { name: 'zero', link: { security: 'zero' }, pairings: ['ours to ours'] },
  ...['aes-128-gcm', 'chacha20-poly1305'].map((security) => ({
    name: `${security}, authenticated length`,
    link: { security, experiments: 'AuthenticatedLength' },
    pairings: ['ours to ours'] as const,
  })),
  {
    name: 'aes-128-gcm, no termination signal',
    link: { security: 'aes-128-gcm', experiments: 'NoTerminationSignal' },
    pairings: ['ours to ours'],
  },
  { name: 'aes-128-gcm over TLS', link: { security: 'aes-128-gcm', tls: true }, pairings: everyPairing },
]

const results = new Map<string, string>()
const cellKey = (row: string, pairing: string) => `${row} | ${pairing}`

let target: Target
beforeAll(async () => {
  target = await startTarget()
})
afterAll(async () => {
  await target.close()
  console.log(table())
})

if (!hasV2ray) {
  it('has V2Ray to talk to', () => {
    if (process.env.CI === 'true') expect.fail('v2ray is not on the PATH, and CI does not skip interoperability')
    console.warn(
      '\n*** v2ray is not on the PATH: every cell with V2Ray is SKIPPED, interoperability is NOT tested ***\n',
    )
  })
}

describe.each(rows)('$name', (row) => {
  for (const pairing of pairings.filter(({ name }) => row.pairings.includes(name))) {
    const needsV2ray = pairing.client === 'v2ray' || pairing.server === 'v2ray'
    if (needsV2ray && !hasV2ray) results.set(cellKey(row.name, pairing.name), 'SKIPPED')
    it.skipIf(needsV2ray && !hasV2ray)(pairing.name, { timeout: 90_000 }, async () => {
      const key = cellKey(row.name, pairing.name)
      results.set(key, 'FAILED')
      const startedAt = performance.now()
      const again = await runCell({ ...row.link, inside: true, client: pairing.client, server: pairing.server }, target)
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      results.set(key, again ? `ok ${seconds} s, 2nd try (replay filter)` : `ok ${seconds} s`)
    })
  }
})

function table(): string {
  const cell = (row: Row, pairing: PairingName) =>
    row.pairings.includes(pairing) ? (results.get(cellKey(row.name, pairing)) ?? 'not run') : '-'
  const lines = [
    ['client to server', ...everyPairing],
    ...rows.map((row) => [row.name, ...everyPairing.map((pairing) => cell(row, pairing))]),
  ]
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const text = lines.map((line) =>
    line
      .map((word, column) => word.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
  return [
    '',
    'Interoperability with V2Ray',
    '',
    text[0],
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...text.slice(1),
    '',
  ].join('\n')
}
