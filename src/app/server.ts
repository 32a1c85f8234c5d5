import { EventEmitter } from 'node:events'
import { configProblemError, loadConfigValue, type Problem } from '../config/load.ts'
import type { Address } from '../core/address.ts'
import type { Logger } from '../core/env.ts'
import type { ProxyError } from '../core/errors.ts'
import type { Session, Totals } from '../core/session.ts'
import { systemEnv } from './env.ts'
import { Instance } from './instance.ts'
import { sessionLog } from './session-log.ts'

/** Events of a Server and what they carry. */
export interface ServerEvents {
  /** Every inbound is listening. */
  listening: []
  /** A client asked for a target, and an outbound was chosen. */
  session: [session: Session]
  /** A session ended; `reason` when not in order. Totals are plaintext bytes. */
  sessionEnd: [session: Session, totals: Readonly<Totals>, reason: ProxyError | undefined]
  /** A session's target could not be reached. */
  sessionFailed: [session: Session, error: ProxyError]
  /** A client was turned away before it asked for a target. */
  rejected: [at: { inboundTag: string; source: string; email: string }, error: ProxyError]
  close: []
}

export interface ServerOptions {
  /** Where the log goes; silent by default. The configuration's own `log` is for the command and is not looked at. */
  readonly log?: Logger
}

/** A V2Ray/Xray configuration running inside this process. */
export class Server extends EventEmitter<ServerEvents> implements AsyncDisposable {
  readonly #instance: Instance
  /** Warnings and infos about the configuration: what it asks for that is not applied, and what has no effect. */
  readonly problems: readonly Problem[]

  /** @throws ProxyError CONFIG_INVALID, whose `problems` lists what is wrong and where */
  constructor(config: object, options: ServerOptions = {}) {
    super()
    const loaded = loadConfigValue(config)
    if (!loaded.config) throw configProblemError(loaded.problems)
    this.problems = loaded.problems
    const env = systemEnv(options.log)
    for (const problem of loaded.problems) env.log.warn({ code: problem.code, path: problem.path }, problem.message)
    const tell = {
      routed: (session: Session) => this.emit('session', session),
      closed: (session: Session, totals: Readonly<Totals>, reason?: ProxyError) =>
        this.emit('sessionEnd', session, totals, reason),
      failed: (session: Session, error: ProxyError) => this.emit('sessionFailed', session, error),
      rejected: (at: { inboundTag: string; source: string; email: string }, error: ProxyError) =>
        this.emit('rejected', at, error),
    }
    this.#instance = new Instance(loaded.config, { env, observers: [tell, sessionLog(env.log, env.clock)] })
  }

  /** Opens every inbound, or none. Resolves with what is listened on. @throws ProxyError LISTEN_FAILED */
  async listen(): Promise<readonly { tag: string; protocol: string; address: Address }[]> {
    await this.#instance.start()
    this.emit('listening')
    return this.#instance.listening
  }

  /** What is being listened on; port 0 is filled in. */
  get listening(): readonly { tag: string; protocol: string; address: Address }[] {
    return this.#instance.listening
  }

  /** Client connections in progress. */
  get connections(): number {
    return this.#instance.connections
  }

  /** Stops accepting, lets connections end for `graceMs` (10 s), then cuts them. */
  async close(graceMs?: number): Promise<void> {
    await this.#instance.stop(graceMs)
    this.emit('close')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close(0)
  }
}

/** A server (or client) from a V2Ray/Xray configuration object; nothing is opened before listen(). */
export const createServer = (config: object, options?: ServerOptions): Server => new Server(config, options)
