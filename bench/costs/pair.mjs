// A client and a server of the built command, as processes that a probe has been loaded into, and a port that leads through both.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const cli = process.env.VMESS_CLI ?? fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const probe = new URL('./probe.mjs', import.meta.url).href
const id = '3c1b9f52-8d0e-4f77-9a3b-6d5c0e2a1b48'

// When V8 compiles depends on calls then, and not on time; and the young generation holds all that one count allocates.
const flags = [
  '--expose-gc',
  '--no-concurrent-recompilation',
  '--single-threaded-gc',
  '--min-semi-space-size=128',
  '--max-semi-space-size=128',
]

/** Runs `body` with { port, client, server }; each end has `ask(word)`, which answers with the probe's counts. */
export async function withPair({ twin, target }, body) {
  const folder = mkdtempSync(join(tmpdir(), 'vmess-costs-'))
  const [port, serverPort] = await freePorts(2)
  const ends = [
    start(folder, 'server', serverFile(serverPort), twin),
    start(folder, 'client', clientFile(port, serverPort, target), twin),
  ]
  try {
    const [server, client] = ends
    await untilOpen(serverPort, server.child)
    await untilOpen(port, client.child)
    return await body({ port, client, server })
  } finally {
    for (const { child, gone } of ends) {
      child.kill('SIGKILL')
      await gone
    }
    rmSync(folder, { recursive: true })
  }
}

const serverFile = (port) => ({
  inbounds: [{ protocol: 'vmess', listen: '127.0.0.1', port, settings: { clients: [{ id }] } }],
  outbounds: [{ protocol: 'freedom' }],
})

const clientFile = (port, serverPort, target) => ({
  inbounds: [
    { protocol: 'dokodemo-door', listen: '127.0.0.1', port, settings: { address: '127.0.0.1', port: target } },
  ],
  outbounds: [
    {
      protocol: 'vmess',
      settings: { vnext: [{ address: '127.0.0.1', port: serverPort, users: [{ id, security: 'aes-128-gcm' }] }] },
    },
  ],
})

function start(folder, name, config, twin) {
  const file = join(folder, `${name}.json`)
  writeFileSync(file, JSON.stringify({ log: { access: 'none', loglevel: 'none' }, ...config }))
  const env = { ...process.env, VMESS_NATIVE: twin ? '' : 'off' }
  const child = fork(cli, ['run', '-c', file], { execArgv: [...flags, '--import', probe], stdio: 'inherit', env })
  const ask = async (word) => {
    child.send(word)
    return (await once(child, 'message'))[0]
  }
  return { child, gone: once(child, 'exit'), ask }
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

async function untilOpen(port, child) {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    if (child.exitCode !== null) throw new Error(`the command ended with ${child.exitCode}`)
    const socket = connect(port, '127.0.0.1')
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (open) return
    await sleep(10)
  }
  throw new Error(`the command does not listen on ${port}`)
}
