// The command as a few files instead of a thousand: it starts in a third of the time, and also where few files may be open. The
// library stays as the compiler leaves it. What few configurations ask for stands in parts of its own, which src/cli/parts.ts
// loads when they are first used; packages that have native parts or look for files of their own stay where they are installed.
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** What is started, and what whoever starts it asks of it. */
const inputs = { main: ['main', 'processTerminal'], worker: ['serving'] }

const asInstalled = /^(?:libsql|pino|@grpc\/.*)$/

/** Packages and folders that are a part each. */
const parts = [
  /^node_modules\/(@noble\/ciphers|re2js|mmdb-lib|uqr|fastest-levenshtein)\//,
  /^(?:node_modules\/(?:dns-packet|@leichtgewicht\/ip-codec)|src\/(dns)\/wire)\b/,
  /^src\/((?:transport|protocol|proxy)\/(?!vmess\/|wire\/)\w+)\//,
  /^src\/(config\/(?:v5|link|convert)|routing|app\/(?:reload|geo|sniffing)|dns\/fake|net\/memory)\//,
]
/** These say what there is, and every start asks them. */
const asked = /[/-](?:config|messages|opening)\.ts$|\/(?:v5\/format|website\/plain)\.ts$/

function partOf(id) {
  const path = relative(at(''), id)
  if (asked.test(path)) return null
  const found = parts.map((part) => part.exec(path)).find((match) => match !== null)
  return found ? (found[1] ?? 'dns').replace('@', '').replace('/', '-') : null
}

/** What Node has, and packages outside of the bundle, that few configurations ask for. */
const late =
  /^(\s*(?:let|const) (\w+) = require\(")(pino|node:(?:child_process|dgram|dns|fs\/promises|http|http2|os|tls))("\);)$/gm

const bundle = await rolldown({
  input: Object.fromEntries(Object.keys(inputs).map((name) => [name, at(`src/cli/${name}.ts`)])),
  platform: 'node',
  external: asInstalled,
  resolve: { mainFields: ['module', 'main'] },
  tsconfig: false,
  preserveEntrySignatures: 'allow-extension',
})
// Beside dist/cli.js by as many folders as the sources: what they look for, they find.
const folder = at('dist/cli')
for (const name of readdirSync(folder)) if (/\.(?:cjs|cache)$|^part-/.test(name)) rmSync(`${folder}/${name}`)
const output = await write(bundle, {
  // A cache that lies beside a file can then be of no other.
  entryFileNames: '[name]-[hash].cjs',
  chunkFileNames: '[name]-[hash].cjs',
  // Each file is a function: src/cli/parts.ts calls it.
  postBanner: '(function (exports, require, __filename) {',
  postFooter: '})',
  plugins: [{ name: 'late', renderChunk: (code) => code.replace(late, '$1late:$3$4') }],
  codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: partOf, debugName: 'parts' }] },
})

/** What parts export, and what is asked of what is loaded late. What is started is evaluated at once. */
const names = {}
for (const { fileName, code, isEntry } of output) {
  if (!isEntry) names[fileName] = matches(code, /^(?:Object\.defineProperty\(exports, "|exports\.)([\w$]+)/gm)
  for (const [, variable, id] of code.matchAll(/ (\w+) = require\("(late:[\w:/]+)"\);$/gm)) {
    names[id] = [...new Set([...(names[id] ?? []), ...matches(code, new RegExp(`\\b${variable}\\.(\\w+)`, 'g'))])]
  }
}
const starter = await rolldown({ input: at('src/cli/bundled.ts'), platform: 'node', tsconfig: false })
await write(starter, {
  entryFileNames: '[name].cjs',
  postFooter: `exports.parts = new Parts(__dirname, ${JSON.stringify(names)}, require)`,
})

const note = '// Made by scripts/bundle.mjs.'
for (const [name, exports] of Object.entries(inputs)) {
  const { fileName } = output.find((chunk) => chunk.isEntry && chunk.name === name)
  const load = `parts.get('${fileName}')`
  put(
    `cli/${name}.js`,
    `${note}\nimport { parts } from './bundled.cjs'\nexport const { ${exports.join(', ')} } = ${load}\n`,
  )
  if (name !== 'main') continue
  // As CommonJS: Node's loader of modules would cost 3 MB and 20 ms.
  const command = `const { launch, parts } = require('./cli/bundled.cjs')\nlaunch(() => ${load})\n`
  put('vmess.cjs', `#!/usr/bin/env node\n${note}\n${command}`)
  put('cli.js', `#!/usr/bin/env node\n${note}\nimport './vmess.cjs'\n`)
}
cpSync(at('src/api/grpc/proto'), at('dist/cli/proto'), { recursive: true })
const { status } = spawnSync(process.execPath, [at('scripts/code-cache.mjs')], {
  stdio: ['ignore', 'inherit', 'inherit'],
})
process.exitCode = status ?? 1

/** Writes CommonJS to dist/cli. */
async function write(bundle, options) {
  const { output } = await bundle.write({
    dir: folder,
    format: 'cjs',
    dynamicImportInCjs: false,
    // Half the memory, and faster to read.
    charset: 'ascii',
    comments: false,
    ...options,
  })
  await bundle.close()
  return output
}

/** Something small in place of what the compiler made. */
function put(path, text) {
  writeFileSync(at(`dist/${path}`), text, { mode: 0o755 })
  rmSync(at(`dist/${path}.map`), { force: true })
}

function matches(code, pattern) {
  return [...code.matchAll(pattern)].map(([, name]) => name)
}
