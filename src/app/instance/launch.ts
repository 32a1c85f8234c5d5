/** A configuration at work with everything beside it: what the command and the library run. */

import type { ReloadRefusal, ReloadReport } from '../../control/control.ts'
import { limits } from '../../core/limits.ts'
import type { Config } from '../../settings/model.ts'
import { type ControlDeps, InstanceControl } from '../control/control.ts'
import { version } from '../version.ts'
import type { Crew } from '../workers/main/crew.ts'
import { Instance } from './instance.ts'
import type { InstanceDeps } from './instance-deps.ts'
import { type Service, startAccounting, startGrpcApi, startHttpApi } from './services.ts'

export interface LaunchDeps extends InstanceDeps {
  /** What an API's wish to reload does. */
  readonly reload: () => Promise<ReloadReport | ReloadRefusal>
  /** What an API's wish for new log files does. */
  readonly restartLog: () => void
  /** Threads that serve clients; absent: this one does. */
  readonly workers?: Workers | undefined
}

/** The workers of a server, and how it is controlled with them. */
export interface Workers {
  readonly crew: Crew
  readonly control: (deps: ControlDeps) => InstanceControl
}

/** The proxies, their control, the APIs and the accounting, started and stopped in the one order that fits. */
export class Launch {
  readonly instance: Instance
  readonly control: InstanceControl
  readonly #config: Config
  readonly #deps: LaunchDeps
  readonly #crew: Crew | undefined
  #accounting: Service | undefined
  #grpc: Service | undefined
  #http: Service | undefined

  /** Reads certificate files, but opens nothing. @throws ConfigError */
  constructor(config: Config, deps: LaunchDeps) {
    const { env, reload, restartLog, workers } = deps
    this.#config = config
    this.#deps = deps
    this.#crew = workers?.crew
    this.instance = new Instance(config, workers ? { ...deps, ...workers.crew.parts } : deps)
    const controlled = { instance: this.instance, env, version, reload, restartLog }
    this.control = workers ? workers.control(controlled) : new InstanceControl(controlled)
  }

  /** Starts everything, or nothing. What was used before is known before the first byte. @throws ProxyError LISTEN_FAILED, STORE_FAILED */
  async start(): Promise<void> {
    const deps = { instance: this.instance, control: this.control, env: this.#deps.env }
    try {
      this.#accounting = await startAccounting(this.#config, deps)
      this.#grpc = await startGrpcApi(this.#config, deps)
      this.#http = await startHttpApi(this.#config, deps)
      await this.instance.start()
      await this.#crew?.start(this.instance)
    } catch (error) {
      await this.stop(0)
      throw error
    }
  }

  /** Makes the files of unix sockets again that somebody has removed; what fails is said in the log. */
  async restore(): Promise<void> {
    const ports = this.instance.inbounds.flatMap((inbound) => inbound.ports)
    const { log } = this.#deps.env
    const restored = [...ports, this.#grpc, this.#http].map((it) => it?.restore?.())
    for (const outcome of await Promise.allSettled(restored)) {
      if (outcome.status === 'rejected') log.error({}, String((outcome.reason as Error).message))
    }
  }

  /** Client connections in progress, those of workers included. */
  async allConnections(): Promise<number> {
    const others = (await this.#crew?.ask('status', undefined)) ?? []
    return others.reduce((sum, { connections }) => sum + connections, this.instance.connections)
  }

  /** Client connections in progress in this thread. */
  get connections(): number {
    return this.instance.connections
  }

  /**
   * Stops accepting and gives connections `graceMs` to end. The gRPC API goes first, because its clients may be among them;
   * the HTTP API can be asked until they are gone; and what the last of them carried counts too.
   */
  async stop(graceMs?: number): Promise<void> {
    await this.#grpc?.close()
    await Promise.all([this.instance.stop(graceMs), this.#crew?.stop(graceMs ?? limits.shutdownMs)])
    await this.#http?.close()
    await this.#accounting?.close()
  }

  /** Cuts every connection now; a stop() in progress then ends at once. */
  kill(): void {
    this.instance.kill()
    this.#crew?.kill()
  }
}
