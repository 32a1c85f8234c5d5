import { EventEmitter } from 'node:events'
import type { ConfigInput } from '../config/input.ts'
import { configProblemError, formatProblem, loadConfigValue, type Problem } from '../config/load.ts'
import type { Control } from '../control/control.ts'
import type { Address } from '../core/address.ts'
import { type Env, type Logger, silentLogger } from '../core/env.ts'
import { isProxyError, ProxyError } from '../core/errors.ts'
import type { Session, Totals } from '../core/session.ts'
import type { Config } from '../settings/model.ts'
import { systemEnv } from './instance/env.ts'
import { Launch } from './instance/launch.ts'
import { sessionLog } from './log/session-log.ts'
import { type ReloadRefusal, type ReloadReport, reload } from './reload/reload.ts'

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
  /**
   * Something of the server itself does not work as it should, such as a store that cannot be written: what the log has at
   * level error. It runs on, and nobody need listen.
   */
  error: [error: ProxyError]
  close: []
}

export interface ServerOptions {
  /** Where the log goes; silent by default. The configuration's own `log` is for the command and is not looked at. */
  readonly log?: Logger
  /** Gives the configuration when one of the APIs asks for a reload. Without it such a wish is refused. */
  readonly reload?: () => ConfigInput | Promise<ConfigInput>
}

/** A V2Ray/Xray configuration running inside this process. */
export class Server extends EventEmitter<ServerEvents> implements AsyncDisposable {
  readonly #env: Env
  readonly #options: ServerOptions
  #launch: Launch
  /** From listen() until it fails or close() begins. */
  #open = false
  #closing: Promise<void> | undefined
  #used = false
  #problems: readonly Problem[]

  /** @throws ProxyError CONFIG_INVALID, whose `problems` lists what is wrong and where */
  constructor(config: ConfigInput, options: ServerOptions = {}) {
    super()
    this.#options = options
    this.#env = systemEnv(telling(options.log ?? silentLogger, (error) => this.#tellError(error)))
    const loaded = loadOrThrow(config, this.#env)
    this.#problems = loaded.problems
    if (loaded.config.workers !== 1) this.#env.log.warn({}, 'one thread serves: "workers" is for the command vmess')
    this.#launch = this.#launchOf(loaded.config)
  }

  #launchOf(config: Config): Launch {
    const env = this.#env
    const tell = {
      routed: (session: Session) => this.emit('session', session),
      closed: (session: Session, totals: Readonly<Totals>, reason?: ProxyError) =>
        this.emit('sessionEnd', session, totals, reason),
      failed: (session: Session, error: ProxyError) => this.emit('sessionFailed', session, error),
      rejected: (at: { inboundTag: string; source: string; email: string }, error: ProxyError) =>
        this.emit('rejected', at, error),
    }
    return new Launch(config, {
      env,
      observers: [tell, sessionLog(env.log, env.clock)],
      reload: () => this.#reloadFor(this.#options.reload),
      restartLog: () => {},
    })
  }

  /**
   * Opens every inbound, and the APIs and the accounting that the configuration asks for, or nothing. Resolves with what
   * the inbounds listen on. After close(), or when it failed, it can be called again: the configuration is the one that was
   * last in force, and what was added by `control` is gone. @throws ProxyError LISTEN_FAILED, STORE_FAILED; CONTROL_INVALID
   * while it listens; ConfigError for a certificate file
   */
  async listen(): Promise<readonly { tag: string; protocol: string; address: Address }[]> {
    if (this.#open) throw new ProxyError('CONTROL_INVALID', 'the server listens already')
    this.#open = true
    try {
      await this.#closing
      if (this.#used) this.#launch = this.#launchOf(this.#launch.instance.config)
      this.#used = true
      await this.#launch.start()
    } catch (error) {
      this.#open = false
      throw error
    }
    this.emit('listening')
    return this.#launch.instance.listening
  }

  /** What is being listened on; port 0 is filled in. */
  get listening(): readonly { tag: string; protocol: string; address: Address }[] {
    return this.#launch.instance.listening
  }

  /** Warnings and infos about the configuration: what it asks for that is not applied, and what has no effect. */
  get problems(): readonly Problem[] {
    return this.#problems
  }

  /**
   * Puts another configuration in force while connections live on: only users who are not in it any more lose theirs.
   * All or nothing. Resolves with what changed; `restart` names parts that take a new Server.
   *
   * @throws ProxyError CONFIG_INVALID, whose `problems` lists what is wrong and where; LISTEN_FAILED for a new address;
   * CONTROL_INVALID before listen() and after close(), and for one without outbounds when there was one. Nothing has changed then.
   */
  async reload(config: ConfigInput): Promise<ReloadReport> {
    const loaded = loadOrThrow(config, this.#env)
    const report = await reload(this.#launch.instance, loaded.config, this.#env, warningsOf(loaded.problems))
    await this.#launch.restore()
    this.#problems = loaded.problems
    return report
  }

  /** What can be seen and changed while it runs: users and their limits, sessions, counters, inbounds and outbounds. */
  get control(): Control {
    return this.#launch.control
  }

  /** Client connections in progress. */
  get connections(): number {
    return this.#launch.connections
  }

  /** Stops accepting, lets connections end for `graceMs` (10 s), then cuts them. */
  async close(graceMs?: number): Promise<void> {
    this.#open = false
    this.#used = true
    this.#closing = this.#launch.stop(graceMs)
    await this.#closing
    this.emit('close')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close(0)
  }

  /** EventEmitter throws an error that nobody listens for, and a listener's own must not reach who logged. */
  #tellError(error: ProxyError): void {
    if (this.listenerCount('error') === 0) return
    try {
      this.emit('error', error)
    } catch (err) {
      this.#options.log?.error({ err }, 'a listener of error events failed')
    }
  }

  async #reloadFor(source: ServerOptions['reload']): Promise<ReloadReport | ReloadRefusal> {
    if (!source) return { problems: ['the program that runs this server has not said where to read the configuration'] }
    try {
      return await this.reload(await source())
    } catch (error) {
      if (isProxyError(error)) return { problems: [error.message] }
      throw error
    }
  }
}

/** The same log, that also tells of what is an error. */
const telling = (log: Logger, tell: (error: ProxyError) => void): Logger => ({
  debug: (fields, message) => log.debug(fields, message),
  info: (fields, message) => log.info(fields, message),
  warn: (fields, message) => log.warn(fields, message),
  error: (fields, message) => {
    log.error(fields, message)
    tell(isProxyError(fields.err) ? fields.err : new ProxyError('SERVER_FAULT', message, { cause: fields.err }))
  },
})

function loadOrThrow(value: object, { clock, log }: Env): { config: Config; problems: readonly Problem[] } {
  const { config, problems } = loadConfigValue(value, { now: clock.now() })
  if (!config) throw configProblemError(problems)
  for (const { code, path, message } of problems) log.warn({ code, path }, message)
  return { config, problems }
}

const warningsOf = (problems: readonly Problem[]): string[] =>
  problems.flatMap((problem) => (problem.severity === 'warning' ? formatProblem(problem) : []))

/** A server (or client) from a V2Ray/Xray configuration object; nothing is opened before listen(). */
export const createServer = (config: ConfigInput, options?: ServerOptions): Server => new Server(config, options)
