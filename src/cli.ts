#!/usr/bin/env node
import { hideSecrets } from './cli/hide-secrets.ts'

const argv = process.argv.slice(2)
// Before anything else is loaded: until here `ps` shows the command line as it was typed.
hideSecrets(argv)
const { relaxCollector } = await import('./cli/collector.ts')
// Before the rest: code caches hold for the flags under which they were made.
relaxCollector()
const { main, processTerminal } = await import('./cli/main.ts')
const code = await main(argv, processTerminal())
// Whatever is still open at this point is not worth waiting for; what was printed is.
process.stdout.write('', () => process.exit(code))
