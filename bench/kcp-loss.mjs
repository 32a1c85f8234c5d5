import { buildAndRun } from './build.mjs'

await buildAndRun('kcp-loss')
