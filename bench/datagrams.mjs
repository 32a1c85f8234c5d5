import { buildAndRun } from './build.mjs'

await buildAndRun('datagram-load')
