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

const counts = [1, 1_000, 10_000, 100_000]
const opening = { concurrency: 16, bytes: 100, stallMs: 10_000 }
const counted = 1_000
const warmUpMost = 2_000
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
    `${opening.concurrency} at a time, after ${Math.min(warmUp, warmUpMost)} that do not count (a quarter of both with ${veryMany} users): each that of a user drawn at random, and then all of the same user. ` +
    'Start: CPU from the start until the port takes connections, and resident memory then, of all threads.',
  async run(plan, results) {
    const echo = await startEchoServer()
    try {
      for (const count of counts) await withUsers(count, plan, results, echo)
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
    { what: nameOf(count), rows: nameOf(count) },
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
    const perConnection = (link: Link) => serverCpu(client, server, link, plan, count >= veryMany ? part : 1)
    const panel = 'Many users: server CPU µs per connection'
    const any = { name: `${name}: random user, CPU µs`, digits: 0, bar: { panel, at: name } }
    results.add(program, any, await perConnection(link))
    if (count === 1) return
    const same = await perConnection({ ...link, doorPort: samePort, users: 1 })
    results.add(program, { name: `${name}: same user, CPU µs`, digits: 0 }, same)
  })
}

/** CPU of the server for one connection, µs, with a client of its own. */
async function serverCpu(program: Program, server: Peer, link: Link, plan: Plan, share: number): Promise<number> {
  const client = await startEnd(program, 'client', link, 'tcp')
  return withPeers([client], async () => {
    const open = (count: number) => churn({ port: link.doorPort, count, ...opening })
    await open(Math.min(plan.warmUp, warmUpMost) * share)
    const count = counted * share
    const { result, server: seconds } = await cpuOf([client.pid, server.pid], () => open(count))
    if (result.completed < count * 0.99) throw new Error(`only ${result.completed} of ${count} were served`)
    return (seconds / count) * 1e6
  })
}
