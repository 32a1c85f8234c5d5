/**
 * The server behind the proxies. A client's first line, in JSON, says what it wants:
 *
 *     echo     every byte comes back; FIN for FIN
 *     duplex   `up` bytes are read and checked while `down` bytes are sent; then the hex SHA-256 of what was read
 *     answer   reads to the client's FIN, waits `waitMs`, sends a line {"bytes", "sha256"} about what it read,
 *              then `down` bytes, then FIN
 */

import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Content, ExpectedContent } from './rig/content.ts'
import { Wire } from './rig/wire.ts'

export type Order =
  | { readonly mode: 'echo' }
  | { readonly mode: 'duplex'; readonly seed: number; readonly up: number; readonly down: number }
  | { readonly mode: 'answer'; readonly seed: number; readonly waitMs: number; readonly down: number }

/** The two directions of a transfer carry different bytes, so one cannot pass for the other. */
export const downSeed = (seed: number): number => seed + 1_000_000

export interface Target {
  readonly host: string
  readonly port: number
  /** Connections accepted so far. */
  accepted(): number
  /** What went wrong here, newest last: the client often sees only a reset. */
  problems(): readonly string[]
  close(): Promise<void>
}

export async function startTarget(): Promise<Target> {
  const problems: string[] = []
  const open = new Set<Wire>()
  let accepted = 0
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted++
    const wire = new Wire(socket, 'target', 60_000)
    open.add(wire)
    socket.once('close', () => open.delete(wire))
    serve(wire).catch((error: Error) => {
      problems.push(error.message)
      if (problems.length > 20) problems.shift()
      wire.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port: 0, backlog: 1024 }, resolve)
  })
  const { port } = server.address() as { port: number }
  return {
    host: '127.0.0.1',
    port,
    accepted: () => accepted,
    problems: () => problems,
    close: async () => {
      for (const wire of open) wire.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

async function serve(wire: Wire): Promise<void> {
  const order = JSON.parse(await wire.readLine()) as Order
  if (order.mode === 'echo') return echo(wire)
  if (order.mode === 'duplex') return duplex(wire, order)
  return answer(wire, order)
}

async function echo(wire: Wire): Promise<void> {
  for (let bytes = await wire.readSome(); bytes; bytes = await wire.readSome()) await wire.write(bytes)
  wire.end()
}

async function duplex(wire: Wire, order: Extract<Order, { mode: 'duplex' }>): Promise<void> {
  const [digest] = await Promise.all([
    readContent(wire, order.seed, order.up),
    sendContent(wire, downSeed(order.seed), order.down),
  ])
  await wire.write(digest)
  await wire.readSome()
  wire.end()
}

async function answer(wire: Wire, order: Extract<Order, { mode: 'answer' }>): Promise<void> {
  const expected = new ExpectedContent(order.seed, 'up')
  const hash = createHash('sha256')
  for (let bytes = await wire.readSome(); bytes; bytes = await wire.readSome()) {
    expected.check(bytes)
    hash.update(bytes)
  }
  await sleep(order.waitMs)
  await wire.write(`${JSON.stringify({ bytes: expected.length, sha256: hash.digest('hex') })}\n`)
  await sendContent(wire, downSeed(order.seed), order.down)
  wire.end()
}

/** Sends `length` bytes of the seed's content in pieces of changing size. */
export async function sendContent(wire: Wire, seed: number, length: number): Promise<void> {
  const content = new Content(seed)
  const pieces = [65_536, 1, 16_384, 40_001, 2_047, 131_072, 9]
  for (let sent = 0, i = 0; sent < length; i++) {
    const size = Math.min(pieces[i % pieces.length]!, length - sent)
    await wire.write(content.next(size))
    sent += size
  }
}

/** Reads and checks `length` bytes of the seed's content; gives the hex SHA-256 of what was read. */
export async function readContent(wire: Wire, seed: number, length: number, what = 'up'): Promise<string> {
  const expected = new ExpectedContent(seed, what)
  const hash = createHash('sha256')
  while (expected.length < length) {
    const bytes = await wire.read(Math.min(length - expected.length, 16_384))
    expected.check(bytes)
    hash.update(bytes)
  }
  return hash.digest('hex')
}
