/** `workers`: a root key of our own, which V2Ray and Xray pass over. What can be spread over several threads, and what cannot. */
import { z } from 'zod'
import { formatAddress } from '../../core/address.ts'
import { limits } from '../../core/limits.ts'
import type { Kinds } from '../../kinds/kinds.ts'
import type { Context } from '../../schema/context.ts'
import { integer, noted } from '../../schema/fields.ts'
import type { Config, InboundConfig, WorkersConfig } from '../../settings/model.ts'

export const workersSchema = noted(
  z
    .union([integer(1, limits.workers, 'How many.'), z.literal('auto')])
    .describe(
      'Threads that serve clients, each on a core of its own, or auto: one for each core. Default: 1. V2Ray and Xray pass over it.',
    )
    .meta({ examples: [2, 'auto'] }),
  { expected: `a number from 1 to ${limits.workers}, or "auto"`, hint: 'write "workers": "auto"' },
)

/** What belongs to the whole and lives in one thread, by its root key. */
const ofOneThread = {
  reverse: 'bridges and portals have to meet their carriers in one thread',
  fakePools: 'an address that was made up in one thread is not known in the others',
  observatory: 'each thread would measure for itself, and choose otherwise than the others',
  burstObservatory: 'each thread would measure for itself, and choose otherwise than the others',
} as const satisfies Partial<Record<keyof Config, string>>

const keyOf = (part: keyof typeof ofOneThread): string => (part === 'fakePools' ? 'fakedns' : part)

type Parts = Pick<Config, keyof typeof ofOneThread>

const partsOfOneThread = (config: Parts): (keyof Parts)[] => {
  const parts = Object.keys(ofOneThread) as (keyof Parts)[]
  return parts.filter((part) => (part === 'fakePools' ? config.fakePools.length > 0 : config[part]))
}

/** What of a configuration cannot be together with several workers, and why: one text each. */
export const inTheWayOfWorkers = (config: Parts): string[] =>
  partsOfOneThread(config).map((part) => `${JSON.stringify(keyOf(part))}: ${ofOneThread[part]}`)

/** How many workers there are to be. With `auto` something that one thread must do decides for one; with a number it is an error. */
export function readWorkers(asked: WorkersConfig, root: object, config: Parts, { report }: Context): WorkersConfig {
  if (asked === 1) return 1
  const inTheWay = partsOfOneThread(config)
  for (const part of inTheWay) {
    const key = keyOf(part)
    const place = report.at(root, report.wrote(root, key) ? key : 'dns')
    const message = `${JSON.stringify(key)} cannot be together with several workers: ${ofOneThread[part]}`
    if (asked === 'auto') report.info('CFG144', place, `${message}; there is one worker`, 'leave "workers" out')
    else report.error('CFG144', place, message, 'leave "workers" out, or run this part in a program of its own')
  }
  return inTheWay.length > 0 ? 1 : asked
}

/** The inbounds, each with why only one thread can serve it, where that is so: it is said where there are workers. */
export function spread(
  inbounds: readonly InboundConfig[],
  workers: WorkersConfig,
  doors: readonly string[],
  kinds: Kinds,
  { report }: Pick<Context, 'report'>,
  root: object,
): readonly InboundConfig[] {
  const reasons = new Map(inbounds.map((inbound) => [inbound, reasonFor(inbound, inbounds, doors, kinds)]))
  // Those on one address are told apart by first bytes, in one place.
  for (let changed = true; changed; ) {
    changed = false
    for (const inbound of inbounds) {
      const other = reasons.get(inbound) ? undefined : inbounds.find((it) => reasons.get(it) && share(it, inbound))
      if (!other) continue
      reasons.set(inbound, `it shares an address with ${other.at}`)
      changed = true
    }
  }
  return inbounds.map((inbound) => {
    const oneThread = reasons.get(inbound)
    if (oneThread === undefined) return inbound
    const place = { ...report.at(root, 'workers'), path: inbound.at }
    if (workers !== 1) report.info('CFG145', place, `one thread serves this inbound, and not the workers: ${oneThread}`)
    return { ...inbound, oneThread }
  })
}

function reasonFor(
  { tag, protocol, settings, listen, allocate, stream }: InboundConfig,
  all: readonly InboundConfig[],
  doors: readonly string[],
  kinds: Kinds,
): string | undefined {
  const transport = kinds.transports.find(({ name }) => name === stream.network)
  if (transport?.carrier) return 'its transport has one socket for all clients'
  if (transport?.manyCarriers) return 'its transport brings one connection by several'
  if (listen.some(({ address }) => address.path !== undefined)) return 'it listens on a unix socket'
  if (protocol === 'vmess') {
    if (settings.detourTo !== undefined) return 'it sends clients on to another inbound'
    const lends = (other: InboundConfig) => other.protocol === 'vmess' && other.settings.detourTo === tag && tag !== ''
    if (all.some(lends)) return 'another inbound sends clients here'
  }
  if (allocate) return 'its ports move'
  if (protocol === 'dokodemo-door' ? settings.networks.includes('udp') : 'udp' in settings && settings.udp) {
    return 'its datagrams come to one socket'
  }
  return doors.includes(tag) ? 'it leads to the API' : undefined
}

const share = (a: InboundConfig, b: InboundConfig): boolean =>
  a.listen.some(({ address }) =>
    b.listen.some((other) => address.port !== 0 && formatAddress(other.address) === formatAddress(address)),
  )
