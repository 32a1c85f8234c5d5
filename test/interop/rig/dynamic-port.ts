/** What the tests of dynamic ports share: the server's file, steady traffic, and the ports that connections went to. */

import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Root, testId } from './configs.ts'
import { echoOnce, type Open, order } from './traffic.ts'

export interface PortRange {
  readonly from: number
  readonly to: number
}

export interface DynamicPorts {
  /** Where clients come first. */
  readonly frontPort: number
  /** Where they are sent on to. */
  readonly range: PortRange
  readonly alterId: number
  /** Minutes. */
  readonly refresh: number
  readonly concurrency?: number
}

/** Two hundred ports, below those that freePorts() gives out. One or the other may be taken: servers pass over it. */
export function someRange(): PortRange {
  const from = 2_000 + 200 * randomInt(35)
  return { from, to: from + 199 }
}

/** A front door that hands its user over to moving ports. Both programs read the same file. */
export function dynamicPortConfig(ports: DynamicPorts, extra: Root = {}): Root {
  const { frontPort, range, alterId, refresh, concurrency = 2 } = ports
  return {
    log: { loglevel: 'debug' },
    inbounds: [
      {
        tag: 'front',
        listen: '127.0.0.1',
        port: frontPort,
        protocol: 'vmess',
        settings: { clients: [{ id: testId, alterId, email: 'carol@home.lan' }], detour: { to: 'moving' } },
      },
      {
        tag: 'moving',
        listen: '127.0.0.1',
        port: `${range.from}-${range.to}`,
        protocol: 'vmess',
        settings: { default: { level: 0, alterId } },
        allocate: { strategy: 'random', concurrency, refresh },
      },
    ],
    outbounds: [{ protocol: 'freedom' }],
    ...extra,
  }
}

export const inRange = (port: number, { from, to }: PortRange): boolean => port >= from && port <= to

const established = '01'

/** Linux: ports of the range to which this machine has open connections at the moment. */
export async function portsInUse(range: PortRange): Promise<number[]> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')))
  const ports = new Set<number>()
  for (const line of tables.join('\n').split('\n')) {
    const [, , remote = '', state] = line.trim().split(/\s+/)
    const port = Number.parseInt(remote.slice(remote.lastIndexOf(':') + 1), 16)
    if (state === established && inRange(port, range)) ports.add(port)
  }
  return [...ports]
}

export interface SteadyPlan {
  readonly everyMs: number
  readonly forMs: number
  readonly range: PortRange
}

export interface SteadyResult {
  readonly requests: number
  /** What went wrong, with the second at which the request began. */
  readonly failures: readonly string[]
  /** Ports of the range that connections were seen at, in the order of their first appearance. */
  readonly ports: readonly number[]
}

/** Begins an echo request every so often, whether or not those before are done, and waits for the last. */
export async function steadyRequests(open: Open, plan: SteadyPlan): Promise<SteadyResult> {
  const startedAt = performance.now()
  const failures: string[] = []
  const ports = new Set<number>()
  const requests: Promise<void>[] = []
  while (performance.now() - startedAt < plan.forMs) {
    const second = ((performance.now() - startedAt) / 1000).toFixed(1)
    const request = oneRequest(open, `request ${requests.length}`, async () => {
      for (const port of await portsInUse(plan.range)) ports.add(port)
    })
    requests.push(request.catch((error: Error) => void failures.push(`at ${second} s: ${error.message}`)))
    await sleep(Math.max(0, startedAt + requests.length * plan.everyMs - performance.now()))
  }
  await Promise.all(requests)
  return { requests: requests.length, failures, ports: [...ports] }
}

async function oneRequest(open: Open, name: string, meanwhile: () => Promise<void>): Promise<void> {
  const wire = await open(name)
  try {
    await order(wire, { mode: 'echo' })
    await echoOnce(wire, Buffer.alloc(1_000, name))
    await meanwhile()
  } finally {
    wire.destroy()
  }
}
