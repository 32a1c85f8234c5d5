// node bench/micro/run.mjs [--json]
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'bench/micro/tsconfig.json'], {
  cwd: fileURLToPath(new URL('../..', import.meta.url)),
  stdio: 'inherit',
})
if (status !== 0) process.exit(1)
await import('../dist/bench/micro/body.js')
