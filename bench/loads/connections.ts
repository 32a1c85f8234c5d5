/** node bench/load.mjs connections: very many connections through a client and a server of ours; none may be refused or stall. */

import { parseArgs } from 'node:util'
import { churn } from '../../test/interop/rig/churn.ts'
import { startEchoServer } from '../../test/interop/rig/echo-server.ts'
import { residentKb } from '../figures.ts'
import { ownPrograms } from '../programs/ours.ts'
import { withPair } from '../programs/pair.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '200000' },
    concurrency: { type: 'string', default: '64' },
    security: { type: 'string', default: 'aes-128-gcm' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help)
  console.log('node bench/load.mjs connections [--count 200000] [--concurrency 64] [--security aes-128-gcm]')
else await main(Number(values.count), Number(values.concurrency))

async function main(count: number, concurrency: number): Promise<void> {
  if (!(count > 0 && concurrency > 0)) throw new Error('--count and --concurrency must be positive numbers')
  const echo = await startEchoServer()
  try {
    await withPair(ownPrograms([])[0]!, { security: values.security }, echo, async ({ client, server, doorPort }) => {
      const memory = () => `client ${residentKb(client.pid) >> 10} MB, server ${residentKb(server.pid) >> 10} MB`
      console.log(`start: ${memory()}`)
      const step = Math.max(1, Math.floor(count / 10))
      const result = await churn({
        port: doorPort,
        count,
        concurrency,
        bytes: 100,
        stallMs: 10_000,
        onProgress: (done) => {
          if (done % step === 0) console.log(`${done} done: ${memory()}`)
        },
      })
      const { completed, refused, stalled, ms } = result
      console.log(
        `${completed} completed, ${refused} refused, ${stalled} stalled; ${(ms / 1000).toFixed(1)} s, ${((completed / ms) * 1000).toFixed(0)} per second`,
      )
      if (refused + stalled > 0) process.exitCode = 1
    })
  } finally {
    await echo.close()
  }
}
