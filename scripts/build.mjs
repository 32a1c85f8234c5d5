// `npm run build`: dist/cli.js and the library, from a fresh clone too.
import { bundler, compiler, copier, fail, packages, runInPlace } from './setup.mjs'

await packages().catch(fail)
process.exitCode = (await runInPlace(compiler)) || (await runInPlace(copier)) || (await runInPlace(bundler))
