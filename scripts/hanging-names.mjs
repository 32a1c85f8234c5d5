/**
 * Names that hang must hold up nobody: `node scripts/hanging-names.mjs [names]` after a build, as root on Linux. In a mount
 * namespace of its own it sets name servers that never answer, asks a running program for that many names at once, and
 * measures what `localhost` and IP addresses take meanwhile and how long the program takes to leave. VMESS_CLI names another
 * build of it.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const self = fileURLToPath(import.meta.url)
const cli = process.env.VMESS_CLI ?? fileURLToPath(new URL('../dist/cli.js', import.meta.url))
const names = Number(process.argv[2] ?? 100)

if (process.env.HANGING_NAMES !== 'inside') {
  const env = { ...process.env, HANGING_NAMES: 'inside' }
  const { status } = spawnSync('unshare', ['-m', process.execPath, self, String(names)], { stdio: 'inherit', env })
  process.exit(status ?? 1)
}

const folder = mkdtempSync(join(tmpdir(), 'hanging-names-'))

function mount(name, text) {
  writeFileSync(join(folder, name), text)
  const { status } = spawnSync('mount', ['--bind', join(folder, name), `/etc/${name}`], { stdio: 'inherit' })
  if (status !== 0) throw new Error(`cannot put another /etc/${name} in place`)
}

const listening = (server, ...at) =>
  new Promise((resolve) => server.listen(...at, () => resolve(server.address().port)))

async function freePort() {
  const server = createServer()
  const port = await listening(server, 0, '127.0.0.1')
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Asks a SOCKS inbound for a target; `answered` resolves with its reply code and the time that it took in ms. */
function socks(port, host, targetPort) {
  const started = performance.now()
  const socket = connect(port, '127.0.0.1')
  const name = Buffer.from(host)
  socket.write(Buffer.from([5, 1, 0]))
  const answered = new Promise((resolve) => {
    let got = Buffer.alloc(0)
    socket.on('error', () => resolve(undefined))
    socket.on('close', () => resolve(undefined))
    socket.on('data', (data) => {
      const before = got.length
      got = Buffer.concat([got, data])
      if (before < 2 && got.length >= 2) {
        socket.write(Buffer.from([5, 1, 0, 3, name.length, ...name, targetPort >> 8, targetPort & 255]))
      }
      if (got.length >= 4) resolve({ code: got[3], ms: performance.now() - started })
    })
  })
  return { socket, answered }
}

async function measured(port, host, targetPort) {
  const times = []
  for (let i = 0; i < 50; i++) {
    const { socket, answered } = socks(port, host, targetPort)
    const answer = await answered
    if (answer?.code !== 0) throw new Error(`${host} was not reached: ${JSON.stringify(answer)}`)
    times.push(answer.ms)
    socket.destroy()
  }
  times.sort((a, b) => a - b)
  return `median ${times[25].toFixed(1)} ms, longest ${times[49].toFixed(1)} ms`
}

async function round(what, suffix, target) {
  const port = await freePort()
  const config = join(folder, 'config.json')
  const inbounds = [{ protocol: 'socks', listen: '127.0.0.1', port, settings: { auth: 'noauth' } }]
  writeFileSync(
    config,
    JSON.stringify({ log: { access: 'none', loglevel: 'error' }, inbounds, outbounds: [{ protocol: 'freedom' }] }),
  )
  const child = spawn(process.execPath, [cli, 'run', '-c', config], { stdio: ['ignore', 'inherit', 'inherit'] })
  process.on('exit', () => child.kill('SIGKILL'))
  const left = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })))
  for (;;) {
    const up = await new Promise((resolve) => {
      const probe = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
      probe.on('connect', () => probe.destroy())
    })
    if (up) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const hanging = Array.from({ length: names }, (_, i) => socks(port, `name${i}.${suffix}`, 80))
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  console.log(`${what}: ${names} names hang, ${readdirSync(`/proc/${child.pid}/fd`).length} descriptors in use`)
  console.log(`  127.0.0.1: ${await measured(port, '127.0.0.1', target)}`)
  console.log(`  localhost: ${await measured(port, 'localhost', target)}`)
  const signalled = performance.now()
  child.kill('SIGTERM')
  const end = await left
  console.log(`  SIGTERM to exit: ${(performance.now() - signalled).toFixed(0)} ms, ${JSON.stringify(end)}`)
  for (const { socket } of hanging) socket.destroy()
}

const silent = createSocket('udp4')
await new Promise((resolve) => silent.bind(53, '127.0.0.9', resolve))
const target = createServer((socket) => socket.on('error', () => {}))
const port = await listening(target, 0, '127.0.0.1')
try {
  mount('resolv.conf', 'nameserver 127.0.0.9\n')
  await round('name servers', 'test', port)
  mount('nsswitch.conf', 'hosts: files mdns4 dns\n')
  await round("the system's resolver", 'local', port)
} finally {
  silent.close()
  target.close()
  rmSync(folder, { recursive: true })
}
process.exit(0)
