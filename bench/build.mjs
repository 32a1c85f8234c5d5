import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
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
  // The library reads its version there, and looks for its native twin. Not more: the linter of the package finds this file, too.
  const { name, version, type } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  writeFileSync(join(root, 'bench/dist/package.json'), JSON.stringify({ name, version, type }))
  linkTwin()
  await import(`./dist/bench/${program}.js`)
}

/** The library as it is compiled for the benchmark finds the native twin of the product. */
export function linkTwin() {
  const link = join(root, 'bench/dist/build')
  rmSync(link, { force: true })
  symlinkSync('../../build', link)
}
