// Code caches of the bundled command, for this version of Node and its own flags: V8 takes what it has compiled once instead of
// compiling again. A server and a client are started, and carry some connections; what they ran is in the caches.
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import bundled from '../dist/cli/bundled.cjs'

const id = 'b831381d-6324-4d53-ad4f-8cda48b30811'
const host = '127.0.0.1'
const echo = createServer((socket) => socket.pipe(socket)).listen(0, host)
const [server, door] = [createServer().listen(0, host), createServer().listen(0, host)]
const [target, port, doorPort] = await Promise.all([echo, server, door].map(portOf))
await Promise.all([server, door].map((probe) => new Promise((resolve) => probe.close(resolve))))
const config = {
  inbounds: [
    { listen: host, port, protocol: 'vmess', settings: { clients: [{ id }] } },
    { listen: host, port: doorPort, protocol: 'socks', tag: 'door' },
  ],
  outbounds: [
    { protocol: 'freedom' },
    { protocol: 'vmess', tag: 'server', settings: { vnext: [{ address: host, port, users: [{ id }] }] } },
  ],
  routing: { rules: [{ inboundTag: ['door'], outboundTag: 'server' }] },
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
let visited
const say = (text) => {
  said += `${text}\n`
  if (text.endsWith(' started')) visited = visit().finally(() => process.kill(process.pid, 'SIGTERM'))
}
const terminal = { out: say, err: say, log: say, command: 'vmess', env: {}, cwd: folder, readInput: async () => '' }
const code = await main(['run', '-c', file], terminal)
rmSync(folder, { recursive: true })
if (code !== 0) throw new Error(`the command ended with ${code}:\n${said}`)
await visited
for (const [part, script] of compiled) {
  // V8 writes the flags of the moment into it.
  const cache = underNodesFlags(() => script.createCachedData())
  writeFileSync(cacheOf(part), sealCache(cache))
}
process.exit()

/** Connections that are short, and one that carries more than the buffers between its ends hold. */
async function visit() {
  for (const size of [...Array(20).fill(100), 4_000_000]) {
    const socket = connect(doorPort, host)
    await talk(socket, [5, 1, 0], 2)
    await talk(socket, [5, 1, 0, 1, 127, 0, 0, 1, target >> 8, target & 255], 10)
    await talk(socket, Buffer.alloc(size), size)
    socket.end()
    await once(socket, 'close')
  }
}

async function talk(socket, bytes, answer) {
  socket.write(Uint8Array.from(bytes))
  for (let left = answer; left > 0; ) {
    const [chunk] = await once(socket, 'data')
    left -= chunk.length
  }
}

async function portOf(listener) {
  await once(listener, 'listening')
  return listener.address().port
}
