// node bench/start.mjs [starts] [name=command …]: how long a small file takes until its port listens, and the memory held then,
// beside V2Ray and a bare listener of Node. They take turns. More commands are run with `-c FILE` behind them, such as
// old="node /elsewhere/dist/cli.js run". Needs dist/.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const counts = process.argv.slice(2).filter((arg) => /^\d+$/.test(arg))
const others = process.argv.slice(2).filter((arg) => arg.includes('='))
const starts = Number(counts[0] ?? 20)

const folder = mkdtempSync(join(tmpdir(), 'vmess-start-'))
const file = join(folder, 'config.json')
const port = await freePort()
const user = { id: 'b831381d-6324-4d53-ad4f-8cda48b30811' }
writeFileSync(
  file,
  JSON.stringify({
    log: { loglevel: 'none' },
    inbounds: [{ protocol: 'vmess', listen: '127.0.0.1', port, settings: { clients: [user] } }],
    outbounds: [{ protocol: 'freedom' }],
  }),
)

const cli = fileURLToPath(new URL('../dist/vmess.cjs', import.meta.url))
const programs = [
  { name: 'vmess', command: [process.execPath, cli, 'run', '-c', file] },
  ...others.map((arg) => {
    const [, name, command] = /^([^=]*)=(.*)$/s.exec(arg)
    return { name, command: [...command.split(' '), '-c', file] }
  }),
  { name: 'v2ray', command: ['v2ray', '-config', file] },
  { name: 'bare Node', command: [process.execPath, '-e', `net.createServer().listen(${port}, '127.0.0.1')`] },
].map((program) => ({ ...program, samples: [] }))

// The first round fills the page cache and does not count.
for (let round = 0; round <= starts; round++) {
  for (const { command, samples } of programs) {
    const sample = await start(command)
    if (round > 0 && sample) samples.push(sample)
  }
}
rmSync(folder, { recursive: true })

console.log(`${'medians of'.padEnd(12)} ${String(starts).padEnd(8)} ${'CPU'.padEnd(8)} resident, of it own`)
for (const { name, samples } of programs) {
  if (samples.length === 0) {
    console.log(`${name.padEnd(12)} is not there`)
    continue
  }
  const of = (key) => median(samples.map((sample) => sample[key]))
  const ms = (key) => `${of(key).toFixed(0)} ms`.padEnd(8)
  console.log(
    `${name.padEnd(12)} ${ms('tookMs')} ${ms('cpuMs')} ${of('rssMb').toFixed(1)} MB, ${of('ownMb').toFixed(1)} MB`,
  )
}

/** Starts a program, waits until it listens and a moment longer, and ends it. Undefined: it did not come so far. */
async function start([command, ...args]) {
  const began = performance.now()
  const child = spawn(command, args, { stdio: 'ignore' })
  let ended = false
  const gone = new Promise((resolve) => child.once('error', resolve).once('exit', resolve)).then(() => {
    ended = true
  })
  while (!ended && !(await accepts())) await sleep(1)
  if (ended) return undefined
  const tookMs = performance.now() - began
  await sleep(100)
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  const kb = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)[1])
  const [user, system] = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13)
  child.kill('SIGKILL')
  await gone
  const cpuMs = (Number(user) + Number(system)) * 10
  return { tookMs, cpuMs, rssMb: kb('VmRSS') / 1024, ownMb: kb('RssAnon') / 1024 }
}

function accepts() {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return port
}
