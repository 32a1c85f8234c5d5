import { createServer } from 'node:net'

/** Whether `port` of `host` can be listened on right now; the port that was given out when it is 0. */
export function tryPort(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(undefined))
    probe.listen({ host, port, exclusive: true }, () => {
      const bound = probe.address()
      probe.close(() => resolve(typeof bound === 'object' && bound ? bound.port : undefined))
    })
  })
}

/** The wanted port if it is free, else any. */
export async function portNear(host: string, wanted: number): Promise<number> {
  const port = (await tryPort(host, wanted)) ?? (await tryPort(host, 0))
  if (port === undefined) throw new Error(`no free port on ${host}`)
  return port
}
