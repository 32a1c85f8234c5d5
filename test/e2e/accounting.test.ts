/** Used traffic across ends of the process, orderly and not, by the command itself. */
import { execFile } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { connect } from '../../src/index.ts'
import { fakeRandom } from '../../src/testing/fakes.ts'
import { freePort, Program, tempFolder } from '../cli/program.ts'
import { long } from '../support/long.ts'

const id = '27848739-7e62-4138-9fd3-098a63964b6b'
const email = 'Ann@example.org'
const root = fileURLToPath(new URL('../..', import.meta.url))

let folder: string
let store: string
let echo: Server
const streams = new Set<Duplex>()
/** Bytes that the clients handed over, and that came back to them, since the test began. */
const passed = { sent: 0, back: 0 }

beforeEach(async () => {
  folder = tempFolder()
  store = join(folder, 'usage.db')
  passed.sent = 0
  passed.back = 0
  echo = createServer((socket: Socket) => void socket.on('error', () => {}).pipe(socket))
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
})
afterEach(() => {
  for (const stream of streams) stream.destroy()
  streams.clear()
  echo.close()
})

interface Served {
  readonly program: Program
  readonly port: number
}

async function serve(limits?: object): Promise<Served> {
  const port = await freePort()
  const file = join(folder, `config${port}.json`)
  const client = { id, email, ...(limits && { limits }) }
  const inbound = { tag: 'in', listen: '127.0.0.1', port, protocol: 'vmess', settings: { clients: [client] } }
  const accounting = { path: store, flush: 1 }
  writeFileSync(file, JSON.stringify({ inbounds: [inbound], outbounds: [{ protocol: 'freedom' }], accounting }))
  return { program: new Program(['run', '-c', file]), port }
}

async function listening(served: Served): Promise<Served> {
  await served.program.prints(/listening/i)
  return served
}

async function open({ port }: Served): Promise<Duplex> {
  const target = (echo.address() as AddressInfo).port
  const stream = await connect(`vmess://${id}@127.0.0.1:${port}`, { host: '127.0.0.1', port: target })
  streams.add(stream)
  stream.on('error', () => {})
  stream.on('data', (bytes: Buffer) => {
    passed.back += bytes.length
  })
  return stream
}

/** Sends until the stream is gone, but not with all of the processor. */
async function pump(stream: Duplex): Promise<void> {
  const piece = Buffer.alloc(20_000, 'x')
  while (!stream.destroyed) {
    if (stream.writableLength < 200_000) {
      passed.sent += piece.length
      stream.write(piece)
    }
    await sleep(2)
  }
}

interface Used {
  readonly uplink: number
  readonly downlink: number
}

/** Runs a script with a path, in a process of its own: what this process opens would be open to the end of the test. */
async function elsewhere<T>(script: string, path: string): Promise<T> {
  const { stdout } = await promisify(execFile)('node', ['--input-type=module', '-e', script, path], { cwd: root })
  return JSON.parse(stdout) as T
}

const query = (sql: string) => `
  import Sqlite from 'libsql'
  console.log(JSON.stringify(new Sqlite(process.argv[1]).prepare('${sql}').all()))
`

const nothing: Used = { uplink: 0, downlink: 0 }

/** What the file says while its owner lives. */
async function peek(): Promise<Used> {
  const [row] = await elsewhere<Used[]>(query('SELECT uplink, downlink FROM users'), store)
  return row ? { uplink: row.uplink, downlink: row.downlink } : nothing
}

/** What the store says to its next owner, who need not wait for it. */
async function kept(): Promise<Used> {
  const users = await elsewhere<(Used & { email: string })[]>(
    `
      import { openSqliteStore } from './dist/store/sqlite.js'
      const owner = await openSqliteStore(process.argv[1])
      console.log(JSON.stringify(owner.load()))
      owner.close()
    `,
    store,
  )
  expect(users.map((user) => user.email)).toEqual(users.length > 0 ? ['ann@example.org'] : [])
  return users[0] ? { uplink: users[0].uplink, downlink: users[0].downlink } : nothing
}

/** On a copy, so that the next process finds the file as the crash left it. */
async function isSound(copy: string): Promise<boolean> {
  for (const end of ['', '-wal']) copyFileSync(store + end, copy + end)
  const rows = await elsewhere<{ integrity_check: string }[]>(query('PRAGMA integrity_check'), copy)
  return rows[0]?.integrity_check === 'ok'
}

const kills = long ? 10 : 2

it(`after kill -9 in the middle of a transfer, ${kills} times, nothing is made up and little is lost`, {
  timeout: 90_000,
}, async () => {
  const random = fakeRandom(9)
  let before = nothing
  for (let round = 0; round < kills; round++) {
    const served = await listening(await serve())
    const stream = await open(served)
    const sending = pump(stream)
    // What has come back was counted twice, and by now or within the period it is in the file.
    const mark = passed.back
    await expect.poll(() => passed.back, { timeout: 10_000 }).toBeGreaterThan(mark + 100_000)
    let due = before
    if (round % 2 === 0) {
      const counted = before.uplink + passed.back - mark
      await expect
        .poll(async () => (await peek()).uplink, { timeout: 10_000, interval: 200 })
        .toBeGreaterThanOrEqual(counted)
      due = await peek()
    }
    await sleep(random.below(1200))
    await served.program.stop('SIGKILL')
    stream.destroy()
    await sending

    expect(await isSound(join(folder, `copy${round}.db`))).toBe(true)
    const after = await kept()
    expect(after.uplink).toBeGreaterThanOrEqual(due.uplink)
    expect(after.downlink).toBeGreaterThanOrEqual(due.downlink)
    expect(after.uplink).toBeLessThanOrEqual(passed.sent)
    expect(after.downlink).toBeLessThanOrEqual(after.uplink)
    before = after
  }
  expect(before.uplink).toBeGreaterThan(kills * 50_000)

  // The quota goes on from there.
  const quota = before.uplink + before.downlink + 300_000
  const last = await listening(await serve({ quota }))
  const sentBefore = passed.sent
  const stream = await open(last)
  const sending = pump(stream)
  await expect.poll(() => stream.destroyed, { timeout: 10_000 }).toBe(true)
  await sending
  const { stderr } = await last.program.stop()
  expect(stderr).toContain('USER_QUOTA')
  const full = await kept()
  expect(full.uplink + full.downlink).toBeGreaterThanOrEqual(quota)
  expect(full.uplink - before.uplink).toBeLessThanOrEqual(passed.sent - sentBefore)

  const again = await listening(await serve({ quota }))
  const backBefore = passed.back
  const refused = await open(again)
  const trying = pump(refused)
  await expect.poll(() => refused.destroyed, { timeout: 10_000 }).toBe(true)
  await trying
  expect(passed.back).toBe(backBefore)
})

it('after an orderly stop every byte is there, those of the last seconds included', async () => {
  for (const round of [1, 2]) {
    const served = await listening(await serve())
    const stream = await open(served)
    stream.end(Buffer.alloc(1_000_000, 'x'))
    await expect.poll(() => passed.back, { timeout: 10_000 }).toBe(round * 1_000_000)
    expect(await served.program.stop()).toMatchObject({ code: 0 })
    expect(await kept()).toEqual({ uplink: round * 1_000_000, downlink: round * 1_000_000 })
  }
})

it('a second process on the same store does not start, and the first one goes on', async () => {
  const first = await listening(await serve())
  const second = await serve()
  const { code, stdout, stderr } = await second.program.ended
  expect(code).not.toBe(0)
  expect(stdout + stderr).toContain('in use by another process')
  expect(stderr).not.toMatch(/\n\s+at /)
  const stream = await open(first)
  stream.end('x')
  await expect.poll(() => passed.back, { timeout: 10_000 }).toBe(1)
  expect(await first.program.stop()).toMatchObject({ code: 0 })
  expect(await kept()).toEqual({ uplink: 1, downlink: 1 })
})
