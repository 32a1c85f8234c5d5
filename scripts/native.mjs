// The native twin (native/, docs/decisions/0009-native-twin.md), compiled by one call of the C++ compiler: it needs Node's headers, which
// lie beside the executable or where the configuration `nodedir` of npm says, and nothing is ever downloaded. Where something
// is missing it is left out, with one line: the product does not need it.
//
//     node scripts/native.mjs             build/Release/vmess.node, for this checkout
//     node scripts/native.mjs --prebuilt  prebuilds/<platform>-<arch>/vmess.<libc>.node, to be shipped
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Immediate binding: where the host lacks a function, loading throws, instead of the process ending at the first call. */
const flags = [
  ...['-std=c++17', '-O3', '-fPIC', '-shared', '-fvisibility=hidden', '-fno-exceptions', '-fno-rtti'],
  ...['-Wall', '-Wextra', '-Wl,-z,now', '-Wl,--as-needed', '-s'],
]

/** Builds what is missing or older than its sources; says in one line what became of it, and never fails but as a prebuilt file. */
function build(prebuilt) {
  const output = join(root, prebuilt ? prebuiltFile() : 'build/Release/vmess.node')
  const sources = readdirSync(join(root, 'native')).map((name) => join(root, 'native', name))
  if (!prebuilt && upToDate(output, [...sources, fileURLToPath(import.meta.url)])) return
  const missing = compile(sources, output)
  const name = prebuilt ? output : 'native twin'
  process.stderr.write(missing ? `${name} left out: ${missing}\n` : `${name} built\n`)
  if (missing && prebuilt) process.exitCode = 1
}

/** What is missing, if anything. */
function compile(sources, output) {
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
  const units = sources.filter((name) => name.endsWith('.cc'))
  const { status, stderr } = spawnSync(compiler, [...flags, `-I${headers}`, ...units, '-o', fresh], {
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

/** As node-gyp-build looks for it. The musl of Alpine loads no file that was linked with the other. */
function prebuiltFile() {
  const libc = existsSync('/etc/alpine-release') ? 'musl' : 'glibc'
  return `prebuilds/${process.platform}-${process.arch}/vmess.${libc}.node`
}

function upToDate(output, sources) {
  const changed = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return changed(output) > Math.max(...sources.map(changed))
}

build(process.argv.includes('--prebuilt'))
