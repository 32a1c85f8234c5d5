// npm run bench -- --help
import { buildAndRun } from './build.mjs'

await buildAndRun('main')
