import { CommanderError } from 'commander'
import { isProxyError } from '../core/errors.ts'
import { normaliseArgv } from './argv.ts'
import { CliError, errorText, exitCodes } from './process/exit.ts'
import type { Terminal } from './process/terminal.ts'
import { createProgram } from './program.ts'
import { foreignCommand } from './run/foreign.ts'

export { processTerminal } from './process/terminal.ts'

/**
 * Runs one command line; resolves with the exit code when the command has ended. What the person did wrong is said in a
 * sentence; only a mistake in this program itself rejects, and so shows its stack.
 */
export async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  const args = normaliseArgv(argv)
  const foreign = foreignCommand(args[0]!)
  if (foreign) {
    terminal.err(foreign)
    return exitCodes.usage
  }
  let code: number = exitCodes.ok
  try {
    await createProgram(args[0]!, terminal, (result) => {
      code = result
    }).parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    return exitCodeOf(error, terminal)
  }
}

function exitCodeOf(error: unknown, terminal: Terminal): number {
  // The parser has said what is wrong already; its only good endings are help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (error instanceof CliError) {
    terminal.err(error.message)
    return error.exitCode
  }
  if (!isProxyError(error)) throw error
  terminal.err(errorText(error))
  return error.fault === 'config' ? exitCodes.config : exitCodes.start
}
