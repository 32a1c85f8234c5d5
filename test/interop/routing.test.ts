/**
 * Generated rule sets before the real V2Ray 4.34 and before ours: the same outbound, or exactly the difference that a section
 * of the specification predicts. `ROUTING_SETS=500 npx vitest run test/interop/routing.test.ts` for a long run.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import type { FlowView } from '../../src/routing/flow-view.ts'
import { GeoLists } from '../../src/routing/geo/lists.ts'
import { Router } from '../../src/routing/router.ts'
import {
  hosts,
  model,
  type Request,
  type RuleSet,
  ruleSets,
  type Section,
  type Strategy,
  sections,
} from '../routing/v2ray4.ts'
import { freePorts, hasV2ray, type Peer, startPeer } from './rig/harness.ts'

const count = Number(process.env.ROUTING_SETS ?? 45)
const strategies: readonly Strategy[] = ['AsIs', 'IPIfNonMatch', 'IPOnDemand']
const outbounds = ['D', 'A', 'B', 'C'].map((tag) => ({ tag, protocol: 'blackhole' }))
const userOf = (i: number) => `set${i}`

/** All sets in one file: each rule is for the user of its set alone. */
const fileOf = (sets: readonly RuleSet[], domainStrategy: Strategy, port: number) => ({
  log: { loglevel: 'warning' },
  dns: { hosts, servers: ['localhost'] },
  inbounds: [
    {
      tag: 'in',
      listen: '127.0.0.1',
      port,
      protocol: 'socks',
      settings: { auth: 'password', accounts: sets.map((_, i) => ({ user: userOf(i), pass: 'p' })) },
    },
  ],
  outbounds,
  routing: {
    domainStrategy,
    rules: sets.flatMap(({ rules }, i) => rules.map((rule) => ({ type: 'field', user: [userOf(i)], ...rule }))),
  },
})

async function ours(file: object, sets: readonly RuleSet[]): Promise<string[]> {
  const { config } = loadConfig([{ name: 'c.json', text: JSON.stringify(file) }])
  const router = new Router(config!.routing!, { lists: new GeoLists(() => 'none') })
  const asked = sets.flatMap(({ requests }, i) => requests.map((request) => ({ request, user: userOf(i) })))
  const picked = asked.map(async ({ request: { host, port }, user }) => {
    const view: FlowView = {
      network: 'tcp',
      host,
      port,
      sourceHost: '127.0.0.1',
      sourcePort: 1,
      localHost: '',
      localPort: 0,
      user,
      inboundTag: 'in',
      protocol: '',
    }
    const tag = (await router.pick(view, async (name) => [hosts[name] ?? '']))?.rule.outboundTag ?? 'D'
    return tag === 'gone' ? 'closed' : tag
  })
  return Promise.all(picked)
}

/** Asks V2Ray for one target; resolves with our port when it has ended the connection. */
async function ask(port: number, user: string, { host, port: to }: Request): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  const { localPort } = socket
  const address = /^[\d.]+$/.test(host) ? [1, ...host.split('.').map(Number)] : [3, host.length, ...Buffer.from(host)]
  socket.write(Uint8Array.of(5, 1, 2))
  await once(socket, 'data')
  socket.write(Uint8Array.of(1, user.length, ...Buffer.from(user), 1, 0x70))
  await once(socket, 'data')
  socket.write(Uint8Array.of(5, 1, 0, ...address, to >> 8, to & 255))
  socket.resume()
  await new Promise((closed) => socket.once('close', closed))
  return localPort!
}

/** The outbound that V2Ray's log names. Under load it drops lines, and is asked again then. */
async function answerOf(peer: Peer, port: number, user: string, request: Request, tries = 5): Promise<string> {
  const from = await ask(port, user, request)
  const line = new RegExp(`127\\.0\\.0\\.1:${from} accepted tcp:\\S+ \\[(\\w+)\\]`)
  const found = await peer.logged(line, tries > 0 ? 1_000 : 5_000).catch((error: Error) => error)
  if (!(found instanceof Error)) return found[1]!
  if (tries === 0) throw found
  return answerOf(peer, port, user, request, tries - 1)
}

async function theirs(file: object, sets: readonly RuleSet[], port: number): Promise<string[]> {
  const peer = await startPeer('v2ray', file, { ports: [port] })
  try {
    const asked = sets.flatMap(({ requests }, i) => requests.map((request) => ({ request, user: userOf(i) })))
    const answers: string[] = []
    for (let at = 0; at < asked.length; at += 8) {
      const some = asked.slice(at, at + 8).map(({ request, user }) => answerOf(peer, port, user, request))
      answers.push(...(await Promise.all(some)))
    }
    return answers
  } finally {
    await peer.stop()
  }
}

describe.skipIf(!hasV2ray)('generated rules, beside V2Ray 4.34', () => {
  it.each(strategies)('%s', async (strategy) => {
    const sets = fc.sample(ruleSets(strategy === 'AsIs'), { numRuns: Math.ceil(count / 3), seed: 20261128 })
    const [port] = (await freePorts(1)) as [number]
    const file = fileOf(sets, strategy, port)
    const [mine, v4] = await Promise.all([ours(file, sets), theirs(file, sets, port)])
    const differences = new Map<Section | 'several', number>()
    let at = 0
    for (const set of sets) {
      for (const request of set.requests) {
        const [own, other] = [mine[at], v4[at]]
        at++
        const about = { set, request }
        const says = (...quirks: Section[]) => model(set, request, strategy, new Set(quirks))
        expect({ ...about, own }).toEqual({ ...about, own: says() })
        expect({ ...about, other }).toEqual({ ...about, other: says(...sections) })
        if (own === other) continue
        const section = sections.find((one) => says(one) === other) ?? 'several'
        differences.set(section, (differences.get(section) ?? 0) + 1)
      }
    }
    const all = [...differences.values()].reduce((sum, n) => sum + n, 0)
    if (process.env.ROUTING_SETS) console.log(strategy, at, 'requests, differences:', Object.fromEntries(differences))
    expect(all).toBeLessThanOrEqual(at / 5)
  })
})
