#!/usr/bin/env node
import { hideSecrets } from './cli/hide-secrets.ts'

const argv = process.argv.slice(2)
// Before anything else is loaded: until here `ps` shows the command line as it was typed.
hideSecrets(argv)
const [{ relaxCollector }, { main }, { processTerminal }] = await Promise.all([
  import('./cli/collector.ts'),
  import('./cli/main.ts'),
  import('./cli/terminal.ts'),
])
relaxCollector()
const code = await main(argv, processTerminal())
// Whatever is still open at this point is not worth waiting for; what was printed is.
process.stdout.write('', () => process.exit(code))
