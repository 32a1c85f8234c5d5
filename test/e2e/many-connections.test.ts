import { expect, it } from 'vitest'
import { churn } from '../interop/rig/churn.ts'
import { startEchoServer } from '../interop/rig/echo-server.ts'
import { withPair } from '../interop/rig/pair.ts'
import { long } from '../support/long.ts'
import { eventually, hasProc, openDescriptors } from './process-usage.ts'

const count = long ? 10_000 : 1_500

it(`carries ${count} connections, none refused, none stalled, and lets go of them all`, {
  timeout: 180_000,
}, async () => {
  const echo = await startEchoServer()
  const quiet = { log: { access: 'none', loglevel: 'warning' } }
  const fixedTo = { host: '127.0.0.1', port: echo.port }
  try {
    await withPair(
      { client: 'ours', server: 'ours', fixedTo, clientExtra: quiet, serverExtra: quiet },
      async ({ client, server, doorPort }) => {
        const descriptors = () => (hasProc ? [client.pid, server.pid].map(openDescriptors) : [])
        // What a first connection opens for good (name resolution, timers) is no leak.
        await churn({ port: doorPort, count: 64, concurrency: 64, bytes: 100, stallMs: 20_000 })
        await eventually(() => echo.accepted() >= 64)
        const result = await churn({ port: doorPort, count, concurrency: 64, bytes: 100, stallMs: 20_000 })
        expect(result).toMatchObject({ completed: count, refused: 0, stalled: 0 })
        expect(echo.accepted()).toBeGreaterThanOrEqual(count + 64)
        if (!hasProc) return
        const few = await eventually(() => descriptors().every((open) => open < 60), 15_000)
        expect(few, `descriptors still open: ${descriptors()}`).toBe(true)
      },
    )
  } finally {
    await echo.close()
  }
})
