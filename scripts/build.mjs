// `npm run build`: dist/cli.js and the library, from a fresh clone too.
import { bundler, compiler, copier, fail, packages, runInPlace, twinBuilder } from './setup.mjs'

await packages().catch(fail)
for (const step of [compiler, copier, bundler, twinBuilder]) process.exitCode ||= await runInPlace(step)
