/**
 * node bench/load.mjs random-users: CPU of one server for connections of random users and of always the same one, in turns on the same
 * server, so that both meet it equally warm; step after step, so that it shows how much of a figure is the warming up.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { churn } from '../../test/interop/rig/churn.ts'
import { startEchoServer } from '../../test/interop/rig/echo-server.ts'
import { freePorts, withPeers } from '../../test/interop/rig/harness.ts'
import { cpuOf } from '../figures.ts'
import { ownPrograms } from '../programs/ours.ts'
import { startEnd } from '../programs/pair.ts'
import { type Link, usualWay } from '../programs/program.ts'

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '10000' },
    steps: { type: 'string', default: '12' },
    count: { type: 'string', default: '500' },
    plain: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const usage = 'node bench/load.mjs random-users [--users 10000] [--steps 12] [--count 500] [--plain]'
const [users, count] = [Number(values.users), Number(values.count)]

async function run(): Promise<void> {
  const [client, plain] = ownPrograms([])
  const program = values.plain ? plain! : client!
  const echo = await startEchoServer()
  const [serverPort, random, same] = (await freePorts(3)) as [number, number, number]
  const link: Link = { ...usualWay, users, serverPort, targetPort: echo.port, network: 'tcp', doorPort: random }
  const server = await startEnd(program, 'server', link, 'tcp')
  await withPeers([server], async () => {
    const doors = [
      { ...(await startEnd(client!, 'client', link, 'tcp')), port: random },
      { ...(await startEnd(client!, 'client', { ...link, doorPort: same, users: 1 }, 'tcp')), port: same },
    ]
    console.log(`${program.name}, ${users} users; server, CPU µs per connection: random user, same user`)
    await withPeers(doors, async () => {
      for (let step = 1; step <= Number(values.steps); step++) {
        const figures: number[] = []
        for (const { pid, port } of doors) {
          const plan = { port, count, concurrency: 16, bytes: 100, stallMs: 10_000 }
          const { server: seconds } = await cpuOf([pid, server.pid], () => churn(plan))
          figures.push((seconds / count) * 1e6)
        }
        console.log(
          `after ${(2 * (step - 1) * count).toString().padStart(6)}: ${figures.map((us) => us.toFixed(0).padStart(6)).join('')}`,
        )
        await sleep(100)
      }
    })
  })
  await echo.close()
}

if (values.help) console.log(usage)
else await run()
