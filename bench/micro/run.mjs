// node bench/micro/run.mjs [body|websocket|tls] [--json]
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { linkTwin } from '../build.mjs'

const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'bench/micro/tsconfig.json'], {
  cwd: fileURLToPath(new URL('../..', import.meta.url)),
  stdio: 'inherit',
})
if (status !== 0) process.exit(1)
linkTwin()
const [what = 'body'] = process.argv.slice(2).filter((word) => !word.startsWith('--'))
await import(`../dist/bench/micro/${what}.js`)
