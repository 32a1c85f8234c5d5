/** A configuration at work, with its log; failures as the exit codes say. */
import { availableParallelism } from 'node:os'
import { systemClock, systemEnv } from '../../app/instance/env.ts'
import { Instance } from '../../app/instance/instance.ts'
import { Launch, type Workers } from '../../app/instance/launch.ts'
import { type AppLog, createLogger } from '../../app/log/log.ts'
import { sessionLog } from '../../app/log/session-log.ts'
import type { ReloadRefusal } from '../../app/reload/reload.ts'
import type { Env } from '../../core/env.ts'
import { isProxyError } from '../../core/errors.ts'
import type { Observer } from '../../core/observer.ts'
import { ConfigError, type Problem } from '../../schema/problem.ts'
import type { Config } from '../../settings/model.ts'
import { sizeYoungGeneration } from '../process/collector.ts'
import { CliError, errorText, exitCodes } from '../process/exit.ts'
import { useLastResort } from '../process/last-resort.ts'
import type { Stoppable } from '../process/lifecycle.ts'
import type { Terminal } from '../process/terminal.ts'
import { workerEntry } from '../worker-entry.ts'
import type { Reload } from './reloader.ts'

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
  // What lives on here must not keep the configuration, which a reload replaces: closures name parts of it only.
  const { log } = config
  const appLog = orExit(() =>
    createLogger(log, {
      json: options.logJson,
      color: log.error === '' && terminal.errColor,
      stdout: { write: (text) => terminal.log(text.replace(/\n$/, '')) },
      stderr: { write: (text) => terminal.err(text.replace(/\n$/, '')) },
      clock: systemClock,
    }),
  )
  const env = systemEnv(appLog.log)
  const workers = await workersFor(config, options, appLog)
  const access = options.access?.(appLog) ?? appLog.access
  const launch = launchOf(config, {
    env,
    observers: [access, sessionLog(env.log, env.clock)],
    reload: () => reload(),
    restartLog: () => appLog.restart(),
    workers,
  })
  const readAgain = options.reload?.(launch.instance, env) ?? nothingToReload
  const reload: Reload = async () => {
    const outcome = await readAgain()
    // Whatever the files say now: clients of a socket whose file is gone cannot wait until they are right.
    await launch.restore()
    return outcome
  }
  const leaveLastResort = useLastResort(env.log)
  await launch.start().catch(async (error: unknown) => {
    leaveLastResort()
    await appLog.close()
    throw exitFor(error)
  })
  sizeYoungGeneration()
  return {
    instance: launch.instance,
    appLog,
    reload,
    get connections() {
      return launch.allConnections()
    },
    stop: (graceMs) => launch.stop(graceMs).finally(leaveLastResort),
    kill: () => launch.kill(),
  }
}

const launchOf = (...given: ConstructorParameters<typeof Launch>): Launch => orExit(() => new Launch(...given))

/** The threads that serve clients where the configuration asks for several. What they need is loaded only then. */
async function workersFor(
  { workers: asked, log }: Config,
  { logJson, terminal }: StartOptions,
  appLog: AppLog,
): Promise<Workers | undefined> {
  const workers = asked === 'auto' ? availableParallelism() : asked
  if (workers === 1) return undefined
  const { createWorkers } = await import('../../app/workers/main/workers.ts')
  return createWorkers({
    env: systemEnv(appLog.log),
    workers,
    entry: workerEntry(),
    log: { json: logJson, color: log.error === '' && terminal.errColor, access: true },
    lines: appLog.lines,
  })
}

/**
 * What only building shows, such as a certificate file that does not exist. Nothing is opened or listened on.
 *
 * @throws CliError with exit code 255 for what is no problem of the configuration.
 */
export async function checkInstance(config: Config): Promise<readonly Problem[]> {
  try {
    const instance = new Instance(config, { env: systemEnv() })
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
