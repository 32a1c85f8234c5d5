/** Reads a configuration again, and puts it in force if it is good. */
import type { Instance } from '../../app/instance/instance.ts'
import { describeReload, type ReloadRefusal, type ReloadReport, reload } from '../../app/reload/reload.ts'
import {
  ConfigError,
  formatProblem,
  type LoadOptions,
  loadConfig,
  type Problem,
  type Severity,
} from '../../config/load.ts'
import type { Env } from '../../core/env.ts'
import { isProxyError } from '../../core/errors.ts'
import { CliError, errorText, exitCodes } from '../process/exit.ts'
import type { Terminal } from '../process/terminal.ts'
import { programDirectory, readSources, type SourceFlags } from './sources.ts'

/** Reads the configuration again. Resolves with what changed, or with why nothing did; never rejects for a mistake in a file. */
export type Reload = () => Promise<ReloadReport | ReloadRefusal>

/** What the configuration came from. */
export interface ReloadSources {
  readonly flags: SourceFlags
  readonly options: LoadOptions
  readonly terminal: Terminal
  /** It was, at least in part, standard input. */
  readonly piped: boolean
}

/** The same sources with the same flags. What became of it is said in the log, and nowhere else. */
export function reloader(sources: ReloadSources, instance: Instance, env: Env): Reload {
  const { log } = env
  return async () => {
    try {
      const { config, warnings } = await loadAgain(sources)
      for (const warning of warnings) log.warn({}, oneLine(warning))
      const report = await reload(instance, config, env, warnings)
      log.warn({}, `configuration reloaded: ${describeReload(report)}`)
      if (report.restart.length > 0) log.warn({}, `changed, and in force after a restart: ${report.restart.join(', ')}`)
      return report
    } catch (error) {
      const problems = problemsOf(error)
      const what = problems.length === 1 ? 'one problem' : `${problems.length} problems`
      log.error({}, `configuration not reloaded: ${what}; the one before runs on`)
      for (const problem of problems) log.error({}, oneLine(problem))
      return { problems }
    }
  }
}

async function loadAgain({ flags, options, terminal, piped }: ReloadSources) {
  const texts = await readSources(flags, {
    ...terminal,
    home: programDirectory(),
    // What there is to say about names of files was said at the start.
    err: () => {},
    readInput: async () => {
      if (!piped) return undefined
      throw new CliError(exitCodes.config, 'the configuration came from standard input, which cannot be read again')
    },
  })
  const { config, problems } = loadConfig(texts, { ...options, now: Date.now() })
  if (!config) throw new ConfigError(problems)
  return { config, warnings: textsOf(problems, 'warning') }
}

/** What a person did wrong, one text each. @throws whatever is a mistake of ours */
function problemsOf(error: unknown): string[] {
  if (error instanceof ConfigError) return textsOf(error.problems, 'error')
  if (error instanceof CliError) return [error.message]
  if (isProxyError(error)) return [errorText(error)]
  throw error
}

const textsOf = (problems: readonly Problem[], wanted: Severity): string[] =>
  problems.flatMap(({ excerpt: _, ...problem }) => (problem.severity === wanted ? formatProblem(problem) : []))

const oneLine = (text: string): string => text.split(/\n\s*/).join(' ')
