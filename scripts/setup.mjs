// What `npm start` and `npm test` need before they can run: packages and a build. It lives here and not in life-cycle
// hooks, because npm may be told to skip those. Only Node itself is used.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Installs when node_modules is missing or older than the lockfile, builds when dist is missing or older than src. */
export async function setup() {
  await packages()
  const sources = Math.max(
    newest('src'),
    newest('native'),
    changed('tsconfig.json'),
    changed('tsconfig.build.json'),
    changed('package.json'),
  )
  if (changed('dist/cli.js') < sources) {
    try {
      await step('building', build)
    } catch (error) {
      // The compiler writes files in spite of errors; the next run must not take them for a finished build.
      rmSync(join(root, 'dist/cli.js'), { force: true })
      throw error
    }
  }
}

/** Installs when node_modules is missing or older than the lockfile. */
export async function packages() {
  requireNode()
  if (changed('node_modules/.package-lock.json') < changed('package-lock.json')) {
    await step('installing packages', install)
  }
}

/** Arguments of Node that compile src to dist. */
export const compiler = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']

/** Arguments of Node that copy what the compiler leaves behind. */
export const copier = ['scripts/protos.mjs']

/** Arguments of Node that make the command's files of many few. */
export const bundler = ['scripts/bundle.mjs']

/** Arguments of Node that build the native twin where that can be done. */
export const twinBuilder = ['scripts/native.mjs']

async function build() {
  let done = { code: 0, output: '' }
  for (const args of [compiler, copier, bundler, twinBuilder]) {
    if (done.code === 0) done = await capture({ command: process.execPath, args, shell: false })
  }
  return done
}

function requireNode() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const needed = /\d+\.\d+/.exec(engines.node)[0]
  const [major, minor] = process.versions.node.split('.').map(Number)
  const [neededMajor, neededMinor] = needed.split('.').map(Number)
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return
  throw new Error(`Node ${needed} or newer is needed; this is ${process.versions.node}`)
}

/** Milliseconds of the last change; 0 for what does not exist. */
function changed(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** Directories count too: a deleted file changes only its directory. */
function newest(folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true })
  const times = entries.map((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? newest(path) : changed(path)
  })
  return Math.max(changed(folder), ...times)
}

/** npm as a command line: the very npm that runs us, if it is npm. */
function npm(...args) {
  const self = process.env.npm_execpath
  if (self && basename(self).startsWith('npm'))
    return { command: process.execPath, args: [self, ...args], shell: false }
  return { command: 'npm', args, shell: process.platform === 'win32' }
}

/** Exactly what the lockfile says; packages run no scripts of theirs. */
const install = () => capture(npm('ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'))

/** Runs one step quietly; its output is shown only when it fails. */
async function step(title, run) {
  process.stderr.write(`${title} …`)
  const started = Date.now()
  const { code, output } = await run()
  process.stderr.write(code === 0 ? ` done in ${Math.ceil((Date.now() - started) / 1000)} s\n` : ' failed\n')
  if (code !== 0) throw new Error(`${output.trim()}\n\n${title} failed`)
}

async function capture({ command, args, shell }) {
  const child = spawn(command, args, { cwd: root, shell, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const add = (data) => {
    output += data
  }
  child.stdout.on('data', add)
  child.stderr.on('data', add)
  return { code: await ended(child), output }
}

/** Runs a program in our place: same terminal, signals passed on, its exit code returned. */
export async function runInPlace(args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // A terminal sends Ctrl-C to the child itself; passing it on as well would count as a second one.
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT')
  })
  return ended(child)
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(signal ? 1 : (code ?? 1)))
  })
}

/** Reports a failed set-up in plain words. */
export function fail(error) {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
}
