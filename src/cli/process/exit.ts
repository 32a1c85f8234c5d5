import type { ProxyError } from '../../core/errors.ts'

/** Exit codes, the same for every command. docs/cli.md has the table. */
export const exitCodes = {
  ok: 0,
  /** A fault of this program that could not be kept to one connection. Node's own code for it. */
  fault: 1,
  /** Wrong command, flag or argument. */
  usage: 2,
  /** The configuration, or a link, cannot be used; service managers should not try again. */
  config: 23,
  /** The configuration is fine but could not be started: a port in use, a log file that cannot be written. */
  start: 255,
} as const

/** Ends a command with a message for the person and a code for the script. */
export class CliError extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string) {
    super(message)
    this.name = 'CliError'
    this.exitCode = exitCode
  }
}

/** Message and hint, on two lines. */
export const errorText = (error: ProxyError): string =>
  error.hint === undefined ? error.message : `${error.message}\n  hint: ${error.hint}`

export const usageError = (message: string): CliError => new CliError(exitCodes.usage, message)
