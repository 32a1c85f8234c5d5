/** Runs proxies as real processes from generated files: ours and V2Ray. Every process is known by its id and ends with its test. */

import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { projectRoot } from './root.ts'

export type Program = 'ours' | 'v2ray'

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A running proxy. */
export interface Peer {
  readonly name: string
  readonly pid: number
  /** Everything written to stdout and stderr so far (of a long log, the last part). */
  log(): string
  /** Resolves once the log matches; rejects with the log when it does not in time, or when the process ends first. */
  logged(pattern: RegExp, withinMs?: number): Promise<RegExpMatchArray>
  kill(signal: NodeJS.Signals): void
  readonly exited: Promise<Exit>
  running(): boolean
  /** Ends the process at once, waits for that, and removes its file. */
  stop(): Promise<void>
}

export interface StartOptions {
  /** Loopback ports that must accept connections before the start counts as done. */
  readonly ports: readonly number[]
  /** Command and arguments to run the program under, such as `prlimit`. */
  readonly under?: readonly string[]
  readonly nodeArgs?: readonly string[]
  readonly name?: string
  readonly startWithinMs?: number
}

/** The built command line of this project. */
export const cliPath = resolve(process.env.VMESS_CLI ?? join(projectRoot, 'dist/cli.js'))

const v2rayPath = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'v2ray'))
  .find((path) => existsSync(path))

export const hasV2ray = v2rayPath !== undefined

const logLimit = 1 << 20
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** The kernel ends the proxy if this process dies without a chance to (Linux, where util-linux is there). */
const guard = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL'] : []

export async function startPeer(program: Program, config: object, options: StartOptions): Promise<Peer> {
  if (program === 'ours' && !existsSync(cliPath)) throw new Error(`${cliPath} is missing: build the project first`)
  if (program === 'v2ray' && !v2rayPath) throw new Error('v2ray is not on the PATH')
  const folder = await mkdtemp(join(tmpdir(), 'vmess-test-'))
  const file = join(folder, 'config.json')
  await writeFile(file, JSON.stringify(config, null, 2))
  const command =
    program === 'ours'
      ? [process.execPath, ...(options.nodeArgs ?? []), cliPath, 'run', '-c', file]
      : [v2rayPath!, '-config', file]
  const peer = launch(options.name ?? program, [...guard, ...(options.under ?? []), ...command], folder)
  return untilReady(peer, options)
}

/** Another program, in `folder`, which is removed with it. */
export const startProgram = (command: readonly string[], folder: string, options: StartOptions): Promise<Peer> =>
  untilReady(launch(options.name ?? command[0]!, [...guard, ...command], folder), options)

async function untilReady(peer: Peer, options: StartOptions): Promise<Peer> {
  try {
    await Promise.all(options.ports.map((port) => untilListening(peer, port, options.startWithinMs ?? 15_000)))
    return peer
  } catch (error) {
    await peer.stop()
    throw error
  }
}

function launch(name: string, command: readonly string[], folder: string): Peer {
  const child = spawn(command[0]!, command.slice(1), { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let text = ''
  let watchers: (() => void)[] = []
  const changed = () => {
    for (const watcher of watchers) watcher()
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => {
      text = (text + chunk).slice(-logLimit)
      changed()
    })
  }
  let over: Exit | undefined
  const exited = new Promise<Exit>((resolve) => {
    const done = (code: number | null, signal: NodeJS.Signals | null) => {
      running.delete(child)
      over ??= { code, signal }
      resolve(over)
      changed()
    }
    child.once('error', (error) => {
      text += `\n${error.message}\n`
      done(null, null)
    })
    child.once('close', done)
  })
  return {
    name,
    pid: child.pid ?? 0,
    log: () => text,
    exited,
    running: () => over === undefined,
    kill: (signal) => {
      child.kill(signal)
    },
    logged: (pattern, withinMs = 10_000) =>
      new Promise((resolve, reject) => {
        const finish = (settle: () => void) => {
          clearTimeout(timer)
          watchers = watchers.filter((other) => other !== look)
          settle()
        }
        const fail = (why: string) =>
          finish(() => reject(new Error(`${name}: ${why} without logging ${pattern}\n${text}`)))
        const look = () => {
          const match = pattern.exec(text)
          if (match) finish(() => resolve(match))
          else if (over) fail('ended')
        }
        const timer = setTimeout(() => fail(`${withinMs} ms passed`), withinMs)
        watchers.push(look)
        look()
      }),
    stop: async () => {
      if (!over) child.kill('SIGKILL')
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function untilListening(peer: Peer, port: number, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await accepts(port))) {
    if (!peer.running()) {
      const { code, signal } = await peer.exited
      throw new Error(`${peer.name} ended at start (${signal ?? code})\n${peer.log()}`)
    }
    if (Date.now() > deadline)
      throw new Error(`${peer.name} does not listen on ${port} after ${withinMs} ms\n${peer.log()}`)
    await sleep(15)
  }
}

/** True when a connection to the loopback port opens; it is closed at once. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** Below the range that the system takes ports of outgoing connections from, so that none is taken away before its use. */
let nextPort = randomInt(10_000, 31_000)

/** Loopback ports that nobody listens on; no port is given twice by one process. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = nextPort
    nextPort = nextPort >= 31_999 ? 10_000 : nextPort + 1
    if (await bindable(port)) ports.push(port)
  }
  return ports
}

function bindable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: '127.0.0.1', port }, () => server.close(() => resolve(true)))
  })
}

/** Runs `body`; an error carries the end of each peer's log. Stops the peers in any case. */
export async function withPeers<T>(peers: readonly Peer[], body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    const logs = peers.map((peer) => `--- log of ${peer.name} ---\n${peer.log().split('\n').slice(-60).join('\n')}`)
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${logs.join('\n')}`, { cause: error })
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()))
  }
}
