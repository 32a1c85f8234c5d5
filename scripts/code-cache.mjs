// Code caches of the bundled command, for this version of Node and its own flags: V8 takes what it
// has compiled once instead of compiling again. A server and a client are started; what they ran is in the caches.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import bundled from '../dist/cli/bundled.cjs'

const id = 'b831381d-6324-4d53-ad4f-8cda48b30811'
const local = { listen: '127.0.0.1', port: 0 }
const config = {
  inbounds: [
    { ...local, protocol: 'vmess', settings: { clients: [{ id }] } },
    { ...local, protocol: 'socks' },
  ],
  outbounds: [
    { protocol: 'freedom' },
    { protocol: 'vmess', settings: { vnext: [{ address: '127.0.0.1', port: 1, users: [{ id }] }] } },
  ],
}

const { parts, relaxCollector, underNodesFlags, cacheOf, sealCache } = bundled
relaxCollector()
const compiled = []
parts.onCompiled = (...one) => compiled.push(one)
const { main } = await import('../dist/cli/main.js')
const folder = mkdtempSync(join(tmpdir(), 'vmess-cache-'))
const file = join(folder, 'config.json')
writeFileSync(file, JSON.stringify(config))
let said = ''
const say = (text) => {
  said += `${text}\n`
  if (text.endsWith(' started')) process.kill(process.pid, 'SIGTERM')
}
const terminal = { out: say, err: say, log: say, command: 'vmess', env: {}, cwd: folder, readInput: async () => '' }
const code = await main(['run', '-c', file], terminal)
rmSync(folder, { recursive: true })
if (code !== 0) throw new Error(`the command ended with ${code}:\n${said}`)
for (const [part, script] of compiled) {
  // V8 writes the flags of the moment into it.
  const cache = underNodesFlags(() => script.createCachedData())
  writeFileSync(cacheOf(part), sealCache(cache))
}
process.exit()
