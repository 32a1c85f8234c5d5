import { createServer } from 'node:net'

export interface EchoServer {
  readonly port: number
  readonly accepted: () => number
  close(): Promise<void>
}

/** Sends every byte back, as plainly as possible: made for very many connections. */
export async function startEchoServer(): Promise<EchoServer> {
  let accepted = 0
  const open = new Set<{ destroy(): void }>()
  const server = createServer({ noDelay: true }, (socket) => {
    accepted++
    open.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => open.delete(socket))
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 }, resolve))
  return {
    port: (server.address() as { port: number }).port,
    accepted: () => accepted,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}
