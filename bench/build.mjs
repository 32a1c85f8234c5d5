import { spawnSync } from 'node:child_process'
import { copyFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundler, compiler, copier, twinBuilder } from '../scripts/setup.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Compiles the product (unless VMESS_CLI names another build of it) and the benchmark, so that what runs is what the sources say.
 * @param {string} program file name in this folder, without its ending
 */
export async function buildAndRun(program) {
  const benchmark = ['node_modules/typescript/bin/tsc', '-p', 'bench/tsconfig.json']
  const steps = process.env.VMESS_CLI ? [benchmark] : [compiler, copier, bundler, twinBuilder, benchmark]
  for (const step of steps) {
    const { status } = spawnSync(process.execPath, step, { cwd: root, stdio: 'inherit' })
    if (status !== 0) process.exit(1)
  }
  // The library reads its version there, and looks for its native twin.
  copyFileSync(join(root, 'package.json'), join(root, 'bench/dist/package.json'))
  linkTwin()
  await import(`./dist/bench/${program}.js`)
}

/** The library as it is compiled for the benchmark finds the native twin of the product. */
export function linkTwin() {
  const link = join(root, 'bench/dist/build')
  rmSync(link, { force: true })
  symlinkSync('../../build', link)
}
