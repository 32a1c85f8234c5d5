/** A configuration at work, with its log; failures as the exit codes say. */
import { systemClock, systemEnv } from '../app/env.ts'
import { createInstance, type Instance } from '../app/instance.ts'
import { type AppLog, createLogger } from '../app/log.ts'
import { sessionLog } from '../app/session-log.ts'
import type { Config } from '../config/model.ts'
import { ConfigError, type Problem } from '../config/problem.ts'
import { isProxyError, type ProxyError } from '../core/errors.ts'
import type { Observer } from '../core/observer.ts'
import { CliError, exitCodes } from './exit.ts'
import type { Terminal } from './terminal.ts'

export interface Running {
  readonly instance: Instance
  readonly appLog: AppLog
}

export interface StartOptions {
  readonly logJson: boolean
  readonly terminal: Terminal
  /** Sees the flows instead of the access log of the configuration. */
  readonly access?: (log: AppLog) => Observer
}

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
  await instance.start().catch(async (error: unknown) => {
    await appLog.close()
    throw exitFor(error)
  })
  return { instance, appLog }
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

/** Message and hint, on two lines. */
export const errorText = (error: ProxyError): string =>
  error.hint === undefined ? error.message : `${error.message}\n  hint: ${error.hint}`
