// node bench/connections.mjs --help
import { buildAndRun } from './build.mjs'

await buildAndRun('connections')
