import { setTimeout as sleep } from 'node:timers/promises'
import { churn } from '../../test/interop/rig/churn.ts'
import { type EchoServer, startEchoServer } from '../../test/interop/rig/echo-server.ts'
import { freePorts, type Peer, withPeers } from '../../test/interop/rig/harness.ts'
import { cpuOf, cpuSeconds, residentKb } from '../figures.ts'
import { startEnd } from '../programs/pair.ts'
import { type Link, type Program, usualWay } from '../programs/program.ts'
import type { Results } from '../results.ts'
import { inTurns, type Plan } from '../turns.ts'
import type { Measurement } from './measurement.ts'

const opening = { concurrency: 16, bytes: 100, stallMs: 10_000 }
const counted = 1_000
/** Connections that show a client of its own the way; the server is warm by then. */
const clientWarmUp = 200
/** Ten thousand connections to warm up are among them, of 4 ms each with V2Ray. */
const turnLimitMs = 600_000
/** Of very many users, where each connection takes the peers that search long, a part of that will do. */
const veryMany = 100_000
const part = 0.25

/** V2Ray needs some fifty kilobytes and a quarter of a millisecond of the start for each: more than this are not asked of it. */
const most: Readonly<Record<string, number>> = { V2Ray: 10_000, 'V2Ray 5': 10_000 }

export const users: Measurement = {
  name: 'users',
  title: 'Many users',
  onRequest: true,
  how: ({ warmUp }) =>
    `A server with so many users, fresh in every round, and this program as the client of all. CPU of the server for each of ${counted} connections, ` +
    `${opening.concurrency} at a time (a quarter with ${veryMany} users): cold, the first of all; then after ${warmUp} in all (a quarter), ` +
    'each that of a user drawn at random; and then all of the same user. ' +
    'Start: CPU from the start until the port takes connections, and resident memory then, of all threads.',
  async run(plan, results) {
    const echo = await startEchoServer()
    try {
      for (const count of plan.users) await withUsers(count, plan, results, echo)
    } finally {
      await echo.close()
    }
  },
}

const nameOf = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'user' : 'users'}`

async function withUsers(count: number, plan: Plan, results: Results, echo: EchoServer): Promise<void> {
  const able = ({ name, has }: Program) =>
    has({ ...usualWay, security: plan.securities[0]!, users: count }) && count <= (most[name] ?? count)
  const client = plan.programs.find(({ own }) => own)
  if (!client) throw new Error('users are measured with this program as the client: it must be among --programs')
  await inTurns(
    plan,
    { what: nameOf(count), rows: nameOf(count), limitMs: turnLimitMs },
    plan.programs.filter(able),
    (program) => program,
    (program) => once(program, client, count, plan, results, echo.port),
  )
}

async function once(
  program: Program,
  client: Program,
  count: number,
  plan: Plan,
  results: Results,
  targetPort: number,
): Promise<void> {
  const [serverPort, anyPort, samePort] = (await freePorts(3)) as [number, number, number]
  const way = { ...usualWay, security: plan.securities[0]!, serverPort, targetPort, network: 'tcp' as const }
  const link: Link = { ...way, doorPort: anyPort, users: count }
  const name = nameOf(count)
  const server = await startEnd(program, 'server', link, 'tcp')
  await withPeers([server], async () => {
    results.add(program, { name: `${name}: start, CPU ms`, digits: 0 }, cpuSeconds(server.pid) * 1_000)
    await sleep(100)
    results.add(program, { name: `${name}: resident MB`, digits: 0 }, residentKb(server.pid) / 1_024)
    const share = count >= veryMany ? part : 1
    const panel = 'Many users: server CPU µs per connection'
    const any = { name: `${name}: random user, CPU µs`, digits: 0, bar: { panel, at: name } }
    await opened(client, server, link, async (open) => {
      const cold = await open(counted * share)
      results.add(program, { name: `${name}: random user, cold, CPU µs`, digits: 0 }, cold)
      await open(Math.max(1, plan.warmUp - counted) * share)
      results.add(program, any, await open(counted * share))
    })
    if (count === 1) return
    await opened(client, server, { ...link, doorPort: samePort, users: 1 }, async (open) => {
      await open(clientWarmUp)
      results.add(program, { name: `${name}: same user, CPU µs`, digits: 0 }, await open(counted * share))
    })
  })
}

/** Opens so many connections, and says what each cost the server: CPU, µs. */
type Open = (count: number) => Promise<number>

/** Runs `body` with a client of its own for the server. */
async function opened(program: Program, server: Peer, link: Link, body: (open: Open) => Promise<void>): Promise<void> {
  const client = await startEnd(program, 'client', link, 'tcp')
  await withPeers([client], () =>
    body(async (count) => {
      const churned = () => churn({ port: link.doorPort, count, ...opening })
      const { result, server: seconds } = await cpuOf([client.pid, server.pid], churned)
      if (result.completed < count * 0.99) throw new Error(`only ${result.completed} of ${count} were served`)
      return (seconds / count) * 1e6
    }),
  )
}
