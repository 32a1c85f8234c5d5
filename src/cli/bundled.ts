/** What starts the command from the files of scripts/bundle.mjs, which makes one of it: dist/cli/bundled.cjs. */
export { relaxCollector } from './collector.ts'
export { launch } from './launch.ts'
export { cacheOf, Parts, sealCache } from './parts.ts'
