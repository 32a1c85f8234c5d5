import { expect, it } from 'vitest'
import { churn } from '../interop/rig/churn.ts'
import { startEchoServer } from '../interop/rig/echo-server.ts'
import { withPair } from '../interop/rig/pair.ts'

const collections = (log: string): number => log.split(/: Scavenge/).length - 1

/** V8 begins with a young generation that twenty connections fill, and each collection copies all that are in progress. */
it('new connections do not make the garbage collector interrupt them all the time', { timeout: 30_000 }, async () => {
  const echo = await startEchoServer()
  const traced = { nodeArgs: ['--trace-gc'] }
  const quiet = { log: { access: 'none', loglevel: 'warning' } }
  try {
    await withPair(
      {
        client: 'ours',
        server: 'ours',
        security: 'aes-128-gcm',
        clientExtra: quiet,
        serverExtra: quiet,
        clientStart: traced,
        serverStart: traced,
        fixedTo: { host: '127.0.0.1', port: echo.port },
      },
      async ({ client, server, doorPort }) => {
        const open = (count: number) => churn({ port: doorPort, count, concurrency: 16, bytes: 100, stallMs: 10_000 })
        await open(200)
        const before = [client, server].map(({ log }) => collections(log()))
        expect(await open(600)).toMatchObject({ completed: 600 })
        const during = [client, server].map(({ log }, i) => collections(log()) - before[i]!)
        expect(Math.max(...during)).toBeLessThanOrEqual(14)
      },
    )
  } finally {
    await echo.close()
  }
})
