// node bench/workers.mjs --help
import { buildAndRun } from './build.mjs'

await buildAndRun('workers')
