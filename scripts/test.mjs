// `npm test`: every test, from a fresh clone. Arguments go to the test runner: `npm test -- src/config`.
import { fail, runInPlace, setup } from './setup.mjs'

await setup().catch(fail)
process.exitCode = await runInPlace(['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)])
