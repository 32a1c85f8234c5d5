import { buildAndRun } from './build.mjs'

await buildAndRun('user-flood')
