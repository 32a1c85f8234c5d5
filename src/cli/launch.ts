import { relaxCollector } from './process/collector.ts'
import { hideSecrets } from './process/hide-secrets.ts'
import type { Terminal } from './process/terminal.ts'

/** What src/cli/main.ts exports; it is loaded late, and from the bundle. */
export interface Command {
  main(argv: readonly string[], terminal: Terminal): Promise<number>
  processTerminal(): Terminal
}

/** Runs the command line of this process, and ends the process. */
export async function launch(load: () => Command | Promise<Command>): Promise<void> {
  const argv = process.argv.slice(2)
  // Before anything else is loaded: until here `ps` shows the command line as it was typed.
  hideSecrets(argv)
  // Node would load these when something first listens, and under our flags compile them: see underNodesFlags().
  for (const id of ['node:cluster', 'node:dns', 'node:os']) process.getBuiltinModule(id)
  relaxCollector()
  const { main, processTerminal } = await load()
  const code = await main(argv, processTerminal())
  // Whatever is still open at this point is not worth waiting for; what was printed is.
  process.stdout.write('', () => process.exit(code))
}
