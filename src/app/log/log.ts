/** The logger of the application: V2Ray's levels and destinations, as lines for people or as JSON. */
import { pino } from 'pino'
import type { Clock, LogFields, Logger } from '../../core/env.ts'
import type { Observer } from '../../core/observer.ts'
import type { LogConfig, LogLevel } from '../../settings/model.ts'
import { createAccessLog } from './access-log.ts'
import { addressMask } from './mask-address.ts'
import { type LogStream, type LogTarget, openTarget } from './target.ts'
import { formatLine, formatTime, type LevelWord, oneLine, safeFields } from './text.ts'

export interface LogOptions {
  /** JSON lines instead of text, in both logs. */
  readonly json: boolean
  /** Colour for the level word; only for text. */
  readonly color: boolean
  /** Where both logs go unless the configuration names files; the command gives its standard error. */
  readonly stdout: LogStream
  /** For the one line that says a log file has failed. */
  readonly stderr: LogStream
  readonly clock: Clock
}

export interface AppLog {
  readonly log: Logger
  readonly access: Observer
  /** Lines that another thread has made, as they are. */
  readonly lines: Readonly<Record<'log' | 'access', (text: string) => void>>
  /** Opens the files anew, after they were moved away. @throws ProxyError LOG_FAILED */
  restart(): void
  /** Writes out and closes the files. */
  close(): Promise<void>
}

/** @throws ProxyError LOG_FAILED when a log file cannot be opened. */
export function createLogger(config: LogConfig, options: LogOptions): AppLog {
  const off = config.level === 'none'
  const error = openTarget(off ? 'none' : config.error, options)
  const access = openTarget(off ? 'none' : config.access, options)
  const mask = addressMask(config.maskAddress)
  const write = error ? (options.json ? jsonWriter(error, options) : textWriter(error, options)) : () => {}
  return {
    log: levelled(config.level, write, mask),
    access: access ? createAccessLog({ target: access, json: options.json, clock: options.clock, mask }) : {},
    lines: { log: (text) => error?.write(text), access: (text) => access?.write(text) },
    restart() {
      try {
        error?.reopen()
      } finally {
        access?.reopen()
      }
    },
    close: async () => void (await Promise.all([error?.close(), access?.close()])),
  }
}

type Write = (level: LevelWord, fields: LogFields, message: string) => void

const order: readonly LogLevel[] = ['debug', 'info', 'warning', 'error', 'none']

function levelled(level: LogLevel, write: Write, mask: (text: string) => string): Logger {
  const least = order.indexOf(level)
  const at = (own: LogLevel, word: LevelWord) =>
    order.indexOf(own) < least
      ? () => {}
      : (fields: LogFields, message: string) => write(word, safeFields(fields, mask, level === 'debug'), mask(message))
  return {
    debug: at('debug', 'Debug'),
    info: at('info', 'Info'),
    warn: at('warning', 'Warning'),
    error: at('error', 'Error'),
  }
}

const colors: Readonly<Record<LevelWord, number>> = { Debug: 90, Info: 36, Warning: 33, Error: 31 }

function textWriter(target: LogTarget, options: LogOptions): Write {
  return (level, fields, message) => {
    const line = formatLine(level, fields, message)
    const shown = options.color ? line.replace(`[${level}]`, `\u001b[${colors[level]}m[${level}]\u001b[0m`) : line
    target.write(`${formatTime(options.clock.now(), { micros: false })} ${shown}\n`)
  }
}

function jsonWriter(target: LogTarget, options: LogOptions): Write {
  const logger = pino(
    {
      base: null,
      level: 'debug',
      timestamp: () => `,"time":"${new Date(options.clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label === 'warn' ? 'warning' : label }) },
    },
    target,
  )
  const methods = { Debug: 'debug', Info: 'info', Warning: 'warn', Error: 'error' } as const
  return (level, fields, message) => logger[methods[level]](fields, oneLine(message))
}
