import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'

/**
 * Returns how to close the server: connections without a request go at once, whether or not they ever had one, the others
 * when theirs is answered, or after a while.
 */
export function closer(server: Server, clock: Clock): () => Promise<void> {
  const sockets = new Set<Socket>()
  const busy = new Set<Socket>()
  let closing: Promise<void> | undefined
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => {
      sockets.delete(socket)
      busy.delete(socket)
    })
  })
  server.on('request', ({ socket }, answer) => {
    busy.add(socket)
    answer.on('close', () => {
      busy.delete(socket)
      if (closing) socket.destroySoon()
    })
  })
  return () => {
    closing ??= new Promise((resolve) => {
      const cut = clock.after(limits.lingerMs, () => server.closeAllConnections())
      server.close(() => {
        cut()
        resolve()
      })
      for (const socket of sockets) if (!busy.has(socket)) socket.destroy()
    })
    return closing
  }
}
