/** A server with two workers: threads of this process, which a test can hold up one at a time so that it knows who serves. */
import { systemEnv } from '../../src/app/instance/env.ts'
import { Launch } from '../../src/app/instance/launch.ts'
import { sessionLog } from '../../src/app/log/session-log.ts'
import { reload } from '../../src/app/reload/reload.ts'
import { CrewControl } from '../../src/app/workers/main/control.ts'
import { Crew } from '../../src/app/workers/main/crew.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import type { Address } from '../../src/core/address.ts'
import type { Conn } from '../../src/core/conn.ts'
import type { Env } from '../../src/core/env.ts'
import type { Config } from '../../src/settings/model.ts'
import { type TalkTarget, talkTarget } from '../support/talk-target.ts'
import { openAs } from '../support/user-client.ts'
import { recordingLog } from '../support/vmess-servers.ts'

export const alice = { id: '27848739-7e62-4138-9fd3-098a63964b6b', email: 'alice@example.com' }
export const bob = { id: '27848739-7e62-4138-9fd3-098a63964b6c', email: 'bob@example.com' }

const entry = new URL('./worker.mjs', import.meta.url)
const everything = { statsUserUplink: true, statsUserDownlink: true }

export interface RigOptions {
  readonly clients?: readonly object[]
  /** More of the configuration. */
  readonly more?: object
  readonly heapMb?: number
  /** 2 unless given; with others open() cannot say which serves. */
  readonly workers?: number
}

/** Whoever is refused waits for the end of the handshake: shorter than a configuration can say. */
const brief = (levels: Config['policy']['levels']): Config['policy']['levels'] =>
  new Map([...levels].map(([level, policy]) => [level, { ...policy, handshake: 0.4 }]))

export const configOf = ({ clients = [alice], more = {} }: RigOptions = {}): Config => {
  const { config, problems } = loadConfigValue({
    workers: 2,
    stats: {},
    policy: {
      levels: { 0: { ...everything, handshake: 1 } },
      system: { statsInboundUplink: true, statsInboundDownlink: true },
    },
    inbounds: [{ tag: 'in', listen: '127.0.0.1', port: 0, protocol: 'vmess', settings: { clients } }],
    outbounds: [{ protocol: 'freedom', tag: 'direct' }],
    ...more,
  })
  if (!config) throw new Error(problems.map(({ message }) => message).join('\n'))
  return { ...config, policy: { ...config.policy, levels: brief(config.policy.levels) } }
}

export class Rig {
  readonly launch: Launch
  readonly crew: Crew
  readonly target: TalkTarget
  readonly lines: ReturnType<typeof recordingLog>['lines']
  /** Lines of the workers' logs. */
  readonly said: string[] = []
  readonly #env: Env
  readonly #clients = new Set<Conn>()
  readonly #channel = new BroadcastChannel('test')

  private constructor(config: Config, target: TalkTarget, { heapMb, workers = 2 }: RigOptions) {
    const { log, lines } = recordingLog()
    this.lines = lines
    this.target = target
    const env = systemEnv(log)
    this.#env = env
    this.crew = new Crew({
      env,
      workers,
      entry,
      log: { json: false, color: false, access: false },
      lines: { log: (text) => void this.said.push(text), access: () => {} },
      ...(heapMb !== undefined && { heapMb }),
    })
    const { crew } = this
    this.launch = new Launch(config, {
      env,
      observers: [sessionLog(log, env.clock)],
      reload: () => Promise.reject(new Error('nothing to read')),
      restartLog: () => {},
      workers: { crew, control: (deps) => new CrewControl(deps, crew) },
    })
  }

  static async start(options: RigOptions = {}): Promise<Rig> {
    const rig = new Rig(configOf(options), await talkTarget(), options)
    await rig.launch.start()
    return rig
  }

  get control(): Launch['control'] {
    return this.launch.control
  }

  get address(): Address {
    return this.launch.instance.listening[0]!.address
  }

  /** Where the HTTP API listens. */
  get api(): string {
    const told = this.lines.map(({ message }) => /control API listening on (\S+)/.exec(message)?.[1])
    return told.find((at) => at !== undefined)!
  }

  /** Puts another configuration in force. */
  reload(options: RigOptions) {
    return reload(this.launch.instance, configOf(options), this.#env)
  }

  /** A connection that the worker with this number, 1 or 2, serves. Rejects when it is refused. */
  async open(worker: number, { id = alice.id, from = '127.0.0.1', address = this.address } = {}): Promise<Conn> {
    return this.alone(worker, async () => {
      const conn = await openAs(id, address, this.target.address, from)
      this.#clients.add(conn)
      return conn
    })
  }

  /** Connections that whichever workers serve. */
  async openMany(count: number, { id = alice.id, address = this.address } = {}): Promise<Conn[]> {
    const conns = await Promise.all(Array.from({ length: count }, () => openAs(id, address, this.target.address)))
    for (const conn of conns) this.#clients.add(conn)
    return conns
  }

  /** What only this worker can serve. */
  async alone<T>(worker: number, run: () => Promise<T>): Promise<T> {
    const words = new Int32Array(new SharedArrayBuffer(8))
    this.#channel.postMessage({ number: 3 - worker, what: 'hold', words })
    // Not by Atomics.waitAsync: an event that never comes has to end a test.
    while (Atomics.load(words, 1) === 0) await new Promise(setImmediate)
    try {
      return await run()
    } finally {
      Atomics.store(words, 0, 1)
      Atomics.notify(words, 0)
    }
  }

  /** Has the thread of this worker end by itself. */
  fault(worker: number, what: 'throw' | 'exhaust'): void {
    this.#channel.postMessage({ number: worker, what })
  }

  async close(): Promise<void> {
    for (const conn of this.#clients) conn.destroy()
    this.#channel.close()
    await this.launch.stop(0)
    await this.target.close()
  }
}

/** Whether a connection still works in both directions. */
export async function echoes(conn: Conn): Promise<boolean> {
  try {
    await conn.write(Uint8Array.of(7))
    return (await conn.read()) !== null
  } catch {
    return false
  }
}

/** Resolves when the connection has ended. */
export const ended = (conn: Conn): Promise<unknown> =>
  new Promise<void>((resolve) => conn.drainTo(() => {}).then(resolve, () => resolve()))
