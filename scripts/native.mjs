// The native twin (native/, docs/decisions/0009-native-twin.md), compiled by one call of the C++ compiler: it needs Node's headers, which
// lie beside the executable or where the configuration `nodedir` of npm says, and nothing is ever downloaded. Where something
// is missing it is left out, with one line: the product does not need it.
//
//     node scripts/native.mjs             build/Release/vmess.node, for this checkout
//     node scripts/native.mjs --prebuilt  and prebuilds/<platform>-<arch>/vmess.<libc>.node, to be packed
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const built = join(root, 'build/Release/vmess.node')

const flags = [
  ...['-std=c++17', '-O3', '-fPIC', '-shared', '-fvisibility=hidden', '-fno-exceptions', '-fno-rtti'],
  ...['-Wall', '-Wextra', '-Wl,--as-needed', '-s'],
]
/** Where the host lacks a function, loading throws, instead of the process ending at the first call. */
const immediateBinding = '-Wl,-z,now'

/** Builds what is missing or older than its sources; says in one line what became of it, and never fails. */
function build() {
  const sources = readdirSync(join(root, 'native')).map((name) => join(root, 'native', name))
  if (upToDate([...sources, fileURLToPath(import.meta.url)])) return
  const units = sources.filter((name) => name.endsWith('.cc'))
  const missing = compile(units, built)
  // A file of older sources would only be refused.
  if (missing) rmSync(built, { force: true })
  process.stderr.write(missing ? `native twin left out: ${missing}\n` : 'native twin built\n')
}

/** What is missing, if anything. @param binding how calls to the host are bound; tests have another one */
export function compile(units, output, binding = immediateBinding) {
  if (process.platform !== 'linux') return 'it is built on Linux only'
  const headers = headerFolders().find(
    (folder) => existsSync(join(folder, 'node_api.h')) && existsSync(join(folder, 'openssl/evp.h')),
  )
  if (!headers) return `no headers of Node in ${headerFolders().join(', ')}`
  const compiler = [process.env.CXX, 'g++', 'clang++'].find(
    (name) => name && spawnSync(name, ['--version']).status === 0,
  )
  if (!compiler) return 'no C++ compiler (g++ or clang++)'
  mkdirSync(dirname(output), { recursive: true })
  // Under another name first: who has the file loaded keeps what he has, and nobody finds half of one.
  const fresh = `${output}.${process.pid}`
  const { status, stderr } = spawnSync(compiler, [...flags, binding, `-I${headers}`, ...units, '-o', fresh], {
    encoding: 'utf8',
  })
  if (status !== 0) return `${compiler} failed: ${stderr.trim().split('\n')[0]}`
  renameSync(fresh, output)
  return undefined
}

function headerFolders() {
  const nodedir = process.env.npm_config_nodedir
  const beside = join(dirname(process.execPath), '../include/node')
  return [...(nodedir ? [join(nodedir, 'include/node')] : []), ...new Set([beside, '/usr/include/node'])]
}

function upToDate(sources) {
  const changed = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return changed(built) > Math.max(...sources.map(changed))
}

/** Puts it where node-gyp-build looks in an installed package. The musl of Alpine loads no file that was linked with the other. */
function prebuild() {
  const folder = join(root, `prebuilds/${process.platform}-${process.arch}`)
  rmSync(folder, { recursive: true, force: true })
  if (!existsSync(built)) return
  mkdirSync(folder, { recursive: true })
  copyFileSync(built, join(folder, `vmess.${existsSync('/etc/alpine-release') ? 'musl' : 'glibc'}.node`))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  build()
  if (process.argv.includes('--prebuilt')) prebuild()
}
