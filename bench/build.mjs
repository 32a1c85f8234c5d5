import { spawnSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundler, compiler, copier } from '../scripts/setup.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Compiles the product (unless VMESS_CLI names another build of it) and the benchmark, so that what runs is what the sources say.
 * @param {string} program file name in this folder, without its ending
 */
export async function buildAndRun(program) {
  const benchmark = ['node_modules/typescript/bin/tsc', '-p', 'bench/tsconfig.json']
  const steps = process.env.VMESS_CLI ? [benchmark] : [compiler, copier, bundler, benchmark]
  for (const step of steps) {
    const { status } = spawnSync(process.execPath, step, { cwd: root, stdio: 'inherit' })
    if (status !== 0) process.exit(1)
  }
  // The library reads its version there.
  copyFileSync(join(root, 'package.json'), join(root, 'bench/dist/package.json'))
  await import(`./dist/bench/${program}.js`)
}
