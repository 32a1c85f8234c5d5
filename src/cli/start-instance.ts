/** A configuration at work, with its log; failures as the exit codes say. */
import { InstanceControl } from '../app/control.ts'
import { systemClock, systemEnv } from '../app/env.ts'
import { createInstance, type Instance } from '../app/instance.ts'
import { type AppLog, createLogger } from '../app/log.ts'
import type { ReloadRefusal } from '../app/reload.ts'
import { type Service, startServices } from '../app/services.ts'
import { sessionLog } from '../app/session-log.ts'
import type { AccountingConfig, Config } from '../config/model.ts'
import { ConfigError, type Problem } from '../config/problem.ts'
import type { Env } from '../core/env.ts'
import { isProxyError } from '../core/errors.ts'
import type { Observer } from '../core/observer.ts'
import { CliError, errorText, exitCodes } from './exit.ts'
import type { Stoppable } from './lifecycle.ts'
import type { Reload } from './reloader.ts'
import type { Terminal } from './terminal.ts'
import { version } from './version.ts'

/** An instance with the services beside it. stop() ends them all; the log is closed by whoever writes the last line. */
export interface Running extends Stoppable {
  readonly instance: Instance
  readonly appLog: AppLog
  readonly reload: Reload
}

export interface StartOptions {
  readonly logJson: boolean
  readonly terminal: Terminal
  /** Sees the flows instead of the access log of the configuration. */
  readonly access?: (log: AppLog) => Observer
  /** How the configuration is read again; without it there is nothing to read. */
  readonly reload?: (instance: Instance, env: Env) => Reload
}

const nothingToReload = async (): Promise<ReloadRefusal> => ({
  problems: ['this command made its own configuration: there is none to read again'],
})

/** @throws CliError with exit code 23 or 255. */
export async function startInstance(config: Config, options: StartOptions): Promise<Running> {
  const { terminal } = options
  const appLog = orExit(() =>
    createLogger(config.log, {
      json: options.logJson,
      color: config.log.error === '' && terminal.outColor,
      stdout: { write: (text) => terminal.out(text.replace(/\n$/, '')) },
      stderr: { write: (text) => terminal.err(text.replace(/\n$/, '')) },
      clock: systemClock,
    }),
  )
  const env = systemEnv(appLog.log)
  const access = options.access?.(appLog) ?? appLog.access
  const instance = orExit(() => createInstance(config, { env, observers: [access, sessionLog(env.log, env.clock)] }))
  const reload = options.reload?.(instance, env) ?? nothingToReload
  const control = new InstanceControl({ instance, env, version, reload, restartLog: () => appLog.restart() })
  const { accounting: kept, ...beside } = config
  let accounting: Service | undefined
  let services: Service | undefined
  const stop = async (graceMs: number): Promise<void> => {
    await services?.close()
    await instance.stop(graceMs)
    // What the last connections carried counts too.
    await accounting?.close()
  }
  try {
    accounting = kept && (await startAccounting(kept, instance, env))
    await instance.start()
    services = await startServices(beside, { instance, control, env })
  } catch (error) {
    await stop(0)
    await appLog.close()
    throw exitFor(error)
  }
  return {
    instance,
    appLog,
    reload,
    get connections() {
      return instance.connections
    },
    stop,
    kill: () => instance.kill(),
  }
}

/** The store's library is loaded only where there is one. */
async function startAccounting(config: AccountingConfig, { accounts }: Instance, env: Env): Promise<Service> {
  const { openAccounting } = await import('../app/accounting.ts')
  return openAccounting(config, { accounts, env })
}

/**
 * What only building shows, such as a certificate file that does not exist. Nothing is opened or listened on.
 *
 * @throws CliError with exit code 255 for what is no problem of the configuration.
 */
export async function checkInstance(config: Config): Promise<readonly Problem[]> {
  try {
    const instance = createInstance(config, { env: systemEnv() })
    await instance.stop(0)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw exitFor(error)
  }
}

function orExit<T>(step: () => T): T {
  try {
    return step()
  } catch (error) {
    throw exitFor(error)
  }
}

/** Anything but our own errors is a mistake in this program and keeps its stack. */
function exitFor(error: unknown): unknown {
  if (!isProxyError(error)) return error
  return new CliError(error.fault === 'config' ? exitCodes.config : exitCodes.start, errorText(error))
}
