import { type LoadOptions, loadConfig, type MergeMode, type SourceText } from '../../config/load.ts'
import { formatAddress } from '../../core/address.ts'
import { CliError, exitCodes, usageError } from '../process/exit.ts'
import { StopSignals, untilStopped } from '../process/lifecycle.ts'
import type { Terminal } from '../process/terminal.ts'
import { mergedText } from '../run/dump.ts'
import { reloader } from '../run/reloader.ts'
import { printProblems, printProblemsJson } from '../run/report-problems.ts'
import { formatOf, programDirectory, readSources, type SourceFlags } from '../run/sources.ts'
import { checkInstance, type Running, startInstance } from '../run/start-instance.ts'
import { readWorkersFlag } from '../run/workers-flag.ts'
import { banner } from '../version.ts'

export interface RunFlags extends SourceFlags {
  readonly test?: boolean
  readonly dump?: boolean
  readonly strict?: boolean
  readonly skipUnsupported?: boolean
  readonly merge?: string
  readonly json?: boolean
  readonly logJson?: boolean
  readonly logFormat?: string
  readonly workers?: string
}

/** Runs a configuration until a signal; with `test` only checks it, with `dump` prints what it is after merging. */
export async function run(flags: RunFlags, terminal: Terminal): Promise<number> {
  const logJson = wantsJson(flags)
  const merge = mergeMode(flags.merge)
  let piped = false
  const readInput = () => {
    piped = true
    return terminal.readInput()
  }
  const sources = await readSources(flags, { ...terminal, home: programDirectory(), readInput })
  const options = {
    strict: flags.strict === true,
    skipUnsupported: flags.skipUnsupported === true,
    merge,
    format: formatOf(flags),
    env: terminal.env,
    now: Date.now(),
    workers: readWorkersFlag(flags.workers),
  }
  if (flags.test) return test(sources, options, flags.json === true, terminal)
  const { config, problems, decisions } = loadConfig(sources, options)
  if (flags.dump) for (const decision of decisions) terminal.err(decision)
  printProblems(problems, terminal, { all: false })
  if (!config) return exitCodes.config
  if (flags.dump) {
    terminal.out(mergedText(sources, merge))
    return exitCodes.ok
  }
  const signals = new StopSignals({ reloads: true })
  const running = await startInstance(config, {
    logJson,
    terminal,
    reload: (instance, env) => reloader({ flags, options, terminal, piped }, instance, env),
  })
  // Not awaited: what was read, texts and configuration, must not be kept for as long as it runs.
  return serve(running, signals)
}

async function serve(running: Running, signals: StopSignals): Promise<number> {
  const { instance, appLog } = running
  // V2Ray too says at warning level that it has started: at its default level nobody would see it otherwise.
  for (const { tag, protocol, address } of instance.listening) {
    appLog.log.warn({ protocol, ...(tag && { inbound: tag }) }, `listening on ${formatAddress(address)}`)
  }
  appLog.log.warn({}, `${banner} started`)
  signals.onReload(() => {
    try {
      appLog.restart()
    } catch (err) {
      appLog.log.error({ err }, 'a log file could not be opened anew; lines go where they went')
    }
    running.reload().catch((err) => appLog.log.error({ err }, 'the reload failed in an unexpected way'))
  })
  await untilStopped([running], appLog.log, signals)
  await appLog.close()
  return exitCodes.ok
}

async function test(
  sources: readonly SourceText[],
  options: LoadOptions,
  json: boolean,
  terminal: Terminal,
): Promise<number> {
  const { config, problems: said, decisions } = loadConfig(sources, options)
  const unbuildable = config ? await checkInstance(config) : []
  const ok = config !== undefined && unbuildable.length === 0
  const problems = [...unbuildable, ...said]
  if (json) {
    printProblemsJson(problems, ok, terminal)
    return ok ? exitCodes.ok : exitCodes.config
  }
  terminal.out(banner)
  for (const { name } of sources) terminal.out(`Reading config: ${name}`)
  for (const decision of decisions) terminal.err(decision)
  printProblems(problems, terminal, { all: true })
  if (!ok) throw new CliError(exitCodes.config, 'Configuration not usable.')
  terminal.out('Configuration OK.')
  return exitCodes.ok
}

export function mergeMode(word = 'v2ray'): MergeMode {
  if (word === 'v2ray' || word === 'v4' || word === 'v5') return word
  throw usageError(`-merge ${word}: unknown; write v2ray, v4 or v5`)
}

/** `--log-json` or `--log-format json`. */
export function wantsJson(flags: { readonly logJson?: boolean; readonly logFormat?: string }): boolean {
  const format = flags.logFormat ?? (flags.logJson ? 'json' : 'text')
  if (format !== 'json' && format !== 'text') throw usageError(`-log-format ${format}: unknown; write text or json`)
  return format === 'json'
}
