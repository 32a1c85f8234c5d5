import { buildAndRun } from './build.mjs'

await buildAndRun('unread-mux')
