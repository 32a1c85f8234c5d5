// node bench/micro/run.mjs [steps|body|websocket|tls] [--json] [part of a name, for steps]
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { linkTwin } from '../build.mjs'

const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'bench/micro/tsconfig.json'], {
  cwd: fileURLToPath(new URL('../..', import.meta.url)),
  stdio: 'inherit',
})
if (status !== 0) process.exit(1)
linkTwin()
const [what = 'steps'] = process.argv.slice(2).filter((word) => !word.startsWith('--'))
await import(`../dist/bench/micro/${what}.js`)
