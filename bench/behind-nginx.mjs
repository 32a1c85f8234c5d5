import { buildAndRun } from './build.mjs'

await buildAndRun('behind-nginx')
