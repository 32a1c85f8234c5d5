#!/usr/bin/env node
import { relaxCollector } from './cli/collector.ts'
import { main } from './cli/main.ts'
import { processTerminal } from './cli/terminal.ts'

relaxCollector()
const code = await main(process.argv.slice(2), processTerminal())
// Whatever is still open at this point is not worth waiting for; what was printed is.
process.stdout.write('', () => process.exit(code))
