// node bench/load.mjs NAME [options]: one of the loads in loads/, or their names.
import { existsSync, readdirSync } from 'node:fs'
import { buildAndRun } from './build.mjs'

const folder = new URL('./loads/', import.meta.url)
// The load reads the rest as if it had been called itself.
const [name] = process.argv.splice(2, 1)
/** Of other loads, and none by themselves. */
const parts = ['lists-grpc', 'lossy-relay']
if (existsSync(new URL(`${name}.mjs`, folder))) await import(new URL(`${name}.mjs`, folder).href)
else if (existsSync(new URL(`${name}.ts`, folder))) await buildAndRun(`loads/${name}`)
else {
  const names = readdirSync(folder).map((file) => file.replace(/\.m?[jt]s$/, ''))
  console.error(`node bench/load.mjs NAME [options]\n\n${names.filter((name) => !parts.includes(name)).join('\n')}`)
  process.exitCode = 2
}
