import type { Clock } from '../../../core/env.ts'
import type { LogConfig } from '../../../settings/log.ts'
import { type AppLog, createLogger } from '../../log/log.ts'
import type { FromWorker, WorkerStart } from '../messages.ts'

/** Bytes of lines that are sent at once; what comes in one turn of the loop goes together. */
const batch = 64 * 1024

/** The log of a worker: lines are made here, and written by the main thread, to wherever they go. */
export function workerLog(
  config: LogConfig,
  { json, color, access }: WorkerStart['log'],
  clock: Clock,
  say: (message: FromWorker) => void,
): Pick<AppLog, 'log' | 'access'> & { readonly flush: () => void } {
  const made = { log: linesTo('log', say), access: linesTo('access', say) }
  const logger = (of: 'log' | 'access', part: Partial<LogConfig>) =>
    createLogger({ ...config, ...part }, { json, color, clock, stdout: made[of], stderr: made[of] })
  return {
    log: logger('log', { error: '', access: 'none' }).log,
    access: access ? logger('access', { error: 'none', access: '' }).access : {},
    flush: () => {
      made.log.flush()
      made.access.flush()
    },
  }
}

function linesTo(type: 'log' | 'access', say: (message: FromWorker) => void) {
  let text = ''
  const flush = (): void => {
    const lines = text
    text = ''
    if (lines !== '') say({ type, text: lines })
  }
  return {
    flush,
    write(line: string): void {
      if (text === '') setImmediate(flush)
      text += line
      if (text.length > batch) flush()
    },
  }
}
