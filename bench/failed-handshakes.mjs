import { buildAndRun } from './build.mjs'

await buildAndRun('failed-handshakes')
