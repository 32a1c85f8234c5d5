/** What starts the command from the files of scripts/bundle.mjs, which makes one of it: dist/cli/bundled.cjs. */

export { launch } from './launch.ts'
export { cacheOf, Parts, sealCache } from './parts.ts'
export { relaxCollector, underNodesFlags } from './process/collector.ts'
