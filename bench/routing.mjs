// What rules cost: a router with 200 rules and a list of 70,000 names, for a name that hits none of them, beside V2Ray's
// memory and start for the same file. `node bench/routing.mjs` after a build.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileRouting } from '../dist/app/routing/compile.js'
import { loadConfig } from '../dist/config/load.js'

const folder = mkdtempSync(join(tmpdir(), 'vmess-routing-'))

let seed = 12345
const below = (limit) => {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
  return (seed >>> 8) % limit
}
const word = (length) => Array.from({ length }, () => 'abcdefghijklmnopqrstuvwxyz0123456789'[below(36)]).join('')
const domain = () => `${word(5 + below(9))}.${['com', 'cn', 'net', 'org', 'com.cn'][below(5)]}`

const varint = (value) => {
  const bytes = []
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128)
  return Buffer.from([...bytes, value])
}
const field = (number, bytes) => Buffer.concat([Buffer.from([number * 8 + 2]), varint(bytes.length), bytes])
const text = (number, value) => field(number, Buffer.from(value))

/** A list shaped as geosite:cn is: nearly all with sub-domains, some exact, a few expressions. */
const entries = Array.from({ length: 70_000 }, (_, i) => {
  const [type, value] =
    i % 3500 === 0
      ? [1, `^${word(4)}[0-9]+\\.${word(6)}\\.com$`]
      : i % 20 === 0
        ? [3, `www.${domain()}`]
        : [2, domain()]
  return field(2, Buffer.concat([Buffer.from([8, type]), text(2, value)]))
})
const others = Array.from({ length: 300 }, (_, i) =>
  field(1, Buffer.concat([text(1, `OTHER${i}`), ...entries.slice(i * 100, i * 100 + 500)])),
)
writeFileSync(
  join(folder, 'geosite.dat'),
  Buffer.concat([field(1, Buffer.concat([text(1, 'CN'), ...entries])), ...others]),
)

const range = (count, make) => Array.from({ length: count }, (_, i) => make(i))
const ip = () => range(4, () => 1 + below(250)).join('.')
const rules = [
  { domain: ['geosite:cn'] },
  ...range(79, () => ({ domain: range(5, () => `domain:${domain()}`) })),
  ...range(60, () => ({ ip: range(10, () => `${ip()}/${12 + below(20)}`) })),
  ...range(30, () => ({ port: `${2000 + below(60000)}` })),
  ...range(10, () => ({ user: [`${word(6)}@example.com`] })),
  ...range(10, () => ({ inboundTag: ['other'] })),
  ...range(10, () => ({ domain: [`regexp:^${word(3)}[a-z0-9-]*\\.(${word(4)}|${word(5)})\\.[a-z]+$`] })),
].map((rule) => ({ type: 'field', outboundTag: 'block', ...rule }))
const port = 20000 + (process.pid % 20000)
const file = join(folder, 'config.json')
const written = JSON.stringify({
  log: { loglevel: 'none' },
  inbounds: ['in', 'other'].map((tag, i) => ({ tag, protocol: 'socks', listen: '127.0.0.1', port: port + i })),
  outbounds: [
    { tag: 'direct', protocol: 'freedom' },
    { tag: 'block', protocol: 'blackhole' },
  ],
  routing: { rules },
})
writeFileSync(file, written)

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const { config, problems } = loadConfig([{ name: file, text: written }])
if (!config) throw new Error(JSON.stringify(problems.slice(0, 3)))
const rss = () => {
  globalThis.gc?.()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return (heapUsed + external + arrayBuffers) / 1e6
}
entries.length = 0
others.length = 0
const before = rss()
const began = performance.now()
const atFirst = process.cpuUsage()
const router = compileRouting(config.routing, { env: { log: quiet } })
const names = range(1000, () => `www.${word(8)}.some-site.com`)
const view = (host) => ({
  network: 'tcp',
  host,
  port: 443,
  goesTo: undefined,
  sourceHost: '127.0.0.1',
  sourcePort: 1,
  localHost: '',
  localPort: 0,
  user: '',
  inboundTag: 'in',
  protocol: '',
})
const flows = names.map(view)
router.pick(flows[0])
const loaded = performance.now() - began
const spent = process.cpuUsage(atFirst)
/** Nanoseconds of this process's own time for each flow: others may be at work on this machine. */
const timed = (some, rounds, check) => {
  const start = process.cpuUsage()
  for (let i = 0; i < rounds; i++) for (const flow of some) check(router.pick(flow))
  const { user, system } = process.cpuUsage(start)
  return ((user + system) * 1000) / (rounds * some.length)
}
const none = (rule) => {
  if (rule !== undefined) throw new Error('a hit')
}
const once = () => timed(flows, 200, none)
for (let i = 0; i < 3; i++) once()
const each = Math.min(...range(5, once))
console.log(
  `rules compiled, lists read      ${loaded.toFixed(0)} ms (target: 150), ${((spent.user + spent.system) / 1000).toFixed(0)} ms of processor with those of the collector and the compiler`,
)
console.log(
  `memory                          ${(rss() - before).toFixed(1)} MB (target: 20)${globalThis.gc ? '' : ', with garbage: run node --expose-gc'}`,
)
console.log(`a name that hits none, AsIs     ${(each / 1000).toFixed(2)} µs (target: 2)`)
const flowsByIp = range(1000, () => view(ip()))
const byIp = () => timed(flowsByIp, 50, () => {})
byIp()
console.log(`an address                      ${(Math.min(...range(3, byIp)) / 1000).toFixed(2)} µs`)

await beside('v2ray', ['-config', file], { V2RAY_LOCATION_ASSET: folder })
await beside(process.execPath, [new URL('../dist/cli.js', import.meta.url).pathname, 'run', '-c', file], {})
rmSync(folder, { recursive: true })

/** Starts a program with the file, waits until it listens, and says how long that took and what it holds then. */
async function beside(command, args, env) {
  const start = performance.now()
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'ignore' })
  const gone = new Promise((resolve) => child.once('error', resolve).once('exit', resolve))
  const listening = async () => {
    for (;;) {
      const up = await new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1')
          .once('connect', () => resolve(true))
          .once('error', () => resolve(false))
        socket.once('connect', () => socket.destroy())
      })
      if (up) return true
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const up = await Promise.race([listening(), gone.then(() => false)])
  const took = performance.now() - start
  const held = up ? Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1000 : 0
  child.kill()
  await gone
  const name = command === process.execPath ? 'vmess' : command
  console.log(
    up ? `${name.padEnd(8)} listens after ${took.toFixed(0)} ms, ${held.toFixed(0)} MB` : `${name}: not there`,
  )
}
