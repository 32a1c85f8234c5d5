import { buildAndRun } from './build.mjs'

await buildAndRun('hostile-grpc')
