/** `fakedns`: pools of made-up addresses. */
import { z } from 'zod'
import { parseHost } from '../../core/address.ts'
import type { Context } from '../../schema/context.ts'
import { integer, object, text } from '../../schema/fields.ts'
import { type Place, shorten } from '../../schema/report.ts'
import type { DnsConfig, FakePoolConfig } from '../../settings/dns.ts'
import type { ReadInbound } from '../ends/inbound.ts'

const pool = object(() => ({
  ipPool: text('Network of the addresses, such as 198.18.0.0/15.'),
  poolSize: integer(
    1,
    4294967295,
    'How many names are remembered; fewer than the network has addresses. Default: 65535.',
  ),
})).describe('A pool.')

export const fakeDnsSchema = z
  .union([pool, z.array(pool)])
  .describe('Pools of made-up addresses, for servers "fakedns".')

type Pool = z.output<typeof pool>

const defaultSize = 65_535

/** The pools; none where no server gives made-up addresses. */
export function readFakeDns(
  input: Pool | readonly Pool[] | undefined,
  dns: DnsConfig | undefined,
  context: Context,
): readonly FakePoolConfig[] {
  const used = dns?.servers.some(({ kind }) => kind === 'fakedns') ?? false
  const list = input === undefined ? [] : Array.isArray(input) ? (input as readonly Pool[]) : [input as Pool]
  const pools = list.flatMap((each) => readPool(each, context) ?? [])
  if (!used) return []
  return list.length > 0 ? pools : defaultPools(dns!)
}

/** Those of Xray: half the size where there are two. */
function defaultPools({ families }: DnsConfig): readonly FakePoolConfig[] {
  const both = families === 'both' || families === 'system'
  const size = both ? 32_768 : defaultSize
  const four = { base: '198.18.0.0', prefix: 15, size }
  const six = { base: 'fc00::', prefix: 18, size }
  if (both) return [four, six]
  return families === 'ipv4' ? [four] : [six]
}

function readPool(input: Pool, { report }: Context): FakePoolConfig | undefined {
  const written = input.ipPool
  if (written === undefined) {
    if (!report.wrote(input, 'ipPool')) report.error('CFG024', report.at(input), 'this pool has no "ipPool"')
    return undefined
  }
  const [base = '', bits = ''] = written.split('/')
  const host = parseHost(base)
  const width = host.kind === 'ipv4' ? 32 : 128
  const prefix = Number(bits)
  if (host.kind === 'domain' || !/^\d{1,3}$/.test(bits) || prefix > width) {
    const found = JSON.stringify(shorten(written))
    report.error('CFG028', report.at(input, 'ipPool'), `found ${found}, expected a network such as "198.18.0.0/15"`)
    return undefined
  }
  const size = input.poolSize ?? defaultSize
  const room = 2 ** (width - prefix)
  if (size < room) return { base, prefix, size }
  const message = `found ${size}, expected fewer than the ${room} addresses of ${written}`
  report.error('CFG023', report.at(input, 'poolSize'), message)
  return undefined
}

/** Without an inbound that looks for them, connections would be made to addresses that are nobody's. */
export function checkFakeUse(
  pools: readonly FakePoolConfig[],
  inbounds: readonly ReadInbound[],
  place: Place,
  { report }: Context,
): void {
  const known = inbounds.some(({ config }) => config?.sniffing?.override.some((word) => word.startsWith('fakedns')))
  if (pools.length === 0 || known) return
  const message = 'made-up addresses are given out, and no inbound finds the names behind them'
  report.error(
    'CFG143',
    place,
    message,
    'write "sniffing": { "enabled": true, "destOverride": ["fakedns"] } into the inbound',
  )
}
