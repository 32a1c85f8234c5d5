/** SIGHUP: the configuration is read again, and nobody is dropped who is not removed. */

import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, connect as dial, type Server } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connect } from '../../src/index.ts'
import { freePort, Program, tempFolder } from '../cli/program.ts'
import { type EchoServer, startEchoServer } from '../interop/rig/echo-server.ts'
import { hasProc, openDescriptors } from './process-usage.ts'

const ids = {
  ann: '11111111-1111-4111-8111-111111111111',
  bob: '22222222-2222-4222-8222-222222222222',
  cleo: '33333333-3333-4333-8333-333333333333',
  dan: '44444444-4444-4444-8444-444444444444',
}
type Name = keyof typeof ids

let echo: EchoServer
let file: string
let port: number
const open: Duplex[] = []

beforeEach(async () => {
  echo = await startEchoServer()
  file = join(tempFolder(), 'config.json')
  port = await freePort()
})
afterEach(async () => {
  hangUp()
  await echo.close()
})

const hangUp = () => open.splice(0).forEach((stream) => void stream.destroy())

const user = (name: Name, limits?: object) => ({
  id: ids[name],
  email: `${name}@example.com`,
  ...(limits && { limits }),
})
const inbound = (tag: string, at: number, clients: readonly object[]) => ({
  tag,
  listen: '127.0.0.1',
  port: at,
  protocol: 'vmess',
  settings: { clients },
})

const save = (...inbounds: readonly object[]) => {
  // A stranger is told nothing, and cut off when the time for the handshake is over.
  const policy = { levels: { 0: { handshake: 1 } } }
  const config = { log: { access: 'none' }, policy, inbounds, outbounds: [{ tag: 'direct', protocol: 'freedom' }] }
  writeFileSync(file, JSON.stringify(config, null, 2))
}

async function start(): Promise<Program> {
  const program = new Program(['run', '-c', file])
  await program.prints(/started/)
  return program
}

/** A connection of a user to the echo server, through the program. */
async function tunnel(name: Name, at = port): Promise<Wire> {
  const vnext = [{ address: '127.0.0.1', port: at, users: [{ id: ids[name] }] }]
  const target = { host: '127.0.0.1', port: echo.port }
  const stream = await connect({ protocol: 'vmess', settings: { vnext } }, target)
  open.push(stream)
  const wire = new Wire(stream)
  await wire.echoes()
  return wire
}

class Wire {
  /** Ended by the other side. */
  lost = false
  #heard = ''
  #sent = 0
  readonly #stream: Duplex
  #wake = () => {}

  constructor(stream: Duplex) {
    this.#stream = stream
    stream.on('data', (data) => {
      this.#heard += data
      this.#wake()
    })
    stream.on('error', () => {})
    for (const event of ['end', 'close']) {
      stream.on(event, () => {
        this.lost = true
        this.#wake()
      })
    }
  }

  /** Something that was never sent before comes back, and nothing else does. */
  async echoes(): Promise<void> {
    const text = `message ${++this.#sent};`
    this.#heard = ''
    this.#stream.write(text)
    while (this.#heard.length < text.length) {
      if (this.lost) throw new Error(`the connection ended before its message ${this.#sent}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    expect(this.#heard).toBe(text)
  }
}

const tunnels = (name: Name, count: number) => Promise.all(Array.from({ length: count }, () => tunnel(name)))
const accepts = (at: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = dial({ port: at, host: '127.0.0.1' }, () => resolve(true))
    socket.on('connect', () => socket.destroy()).on('error', () => resolve(false))
  })

/** The kernel's number of the socket that listens on a port of this machine. */
const listener = (at: number): string | undefined =>
  readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(
      ([, local, , state]) => state === '0A' && local?.endsWith(`:${at.toString(16).toUpperCase().padStart(4, '0')}`),
    )?.[9]

describe('SIGHUP', () => {
  it('changes users and listeners under 200 live connections and drops none but those of a user who is gone', async () => {
    const second = await freePort()
    save(inbound('in', port, [user('ann'), user('bob', { connections: 500 }), user('cleo')]))
    const program = await start()
    const staying = (await Promise.all([tunnels('ann', 100), tunnels('bob', 100)])).flat()
    const leaving = await tunnels('cleo', 10)
    const before = hasProc ? listener(port) : undefined
    // Bytes flow all the while, not only before and after.
    let reloaded = false
    const flowing = Promise.all(
      staying.map(async (wire) => {
        while (!reloaded) await wire.echoes()
      }),
    )

    save(
      inbound('in', port, [user('ann'), user('bob', { connections: 100 }), user('dan')]),
      inbound('more', second, [user('ann')]),
    )
    program.signal('SIGHUP')
    await program.prints(
      /\[Warning\] configuration reloaded: inbound "more" added; users: 1 added, 1 changed, 1 removed\n/,
    )
    await expect.poll(() => leaving.filter(({ lost }) => !lost).length, { timeout: 10_000 }).toBe(0)
    reloaded = true
    await flowing
    await Promise.all(staying.map((wire) => wire.echoes()))
    expect(staying.filter(({ lost }) => lost)).toEqual([])
    await (await tunnel('dan')).echoes()
    await (await tunnel('ann', second)).echoes()
    await expect(tunnel('cleo')).rejects.toThrow('ended')
    await expect(tunnel('bob')).rejects.toThrow('ended')
    if (hasProc) expect(listener(port)).toBe(before)
    hangUp()
    expect(await program.stop()).toMatchObject({ code: 0 })
  })

  it('leaves everything as it was when the file is broken, and says where', async () => {
    save(inbound('in', port, [user('ann'), user('cleo')]))
    const program = await start()
    const wire = await tunnel('cleo')
    writeFileSync(file, '{\n  "inbounds": [\n    { "port": 70000, "protocol": "vmes" }\n  ]\n}\n')
    program.signal('SIGHUP')
    await program.prints(/\[Error\] configuration not reloaded: \d problems; the one before runs on\n/)
    const line = new RegExp(`\\[Error\\] ${file}:3:15 +error +inbounds\\[0\\]\\.port .*70000.*\\n`)
    await program.prints(line)
    expect(program.stdout).toBe('')
    expect(program.stderr).not.toMatch(/\n\s+at /)
    await wire.echoes()
    await (await tunnel('ann')).echoes()

    writeFileSync(file, '{ "inbounds": [')
    program.signal('SIGHUP')
    await program.prints(new RegExp(`not reloaded: one problem.*\\n.*\\[Error\\] ${file}:1:\\d+ `))
    await (await tunnel('cleo')).echoes()
  })

  it('tells warnings of the new file once, in the log, which stays JSON', async () => {
    save(inbound('in', port, [user('ann')]))
    const program = new Program(['run', '-c', file, '--log-json'])
    await program.prints(/started/)
    save({ ...inbound('in', port, [user('ann'), user('dan')]), unheardOf: 1 })
    program.signal('SIGHUP')
    await program.prints(/configuration reloaded.*\n/)
    expect(program.stdout).toBe('')
    const lines = program.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const warnings = lines.filter(({ msg }) => msg.includes('unheardOf'))
    expect(warnings).toMatchObject([{ level: 'warning', msg: expect.stringContaining(`${file}:`) }])
  })

  it('leaves everything as it was when the new file has no outbound', async () => {
    save(inbound('in', port, [user('ann')]))
    const program = await start()
    writeFileSync(file, JSON.stringify({ inbounds: [inbound('in', port, [user('ann')])] }))
    program.signal('SIGHUP')
    await program.prints(/not reloaded: one problem.*\n.*\[Error\] the configuration has no outbound/)
    await (await tunnel('ann')).echoes()
  })

  it('leaves everything as it was when a new port is taken', async () => {
    const taken: Server = createServer()
    const takenPort = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port))
    })
    const free = await freePort()
    try {
      save(inbound('in', port, [user('ann'), user('cleo')]))
      const program = await start()
      const wire = await tunnel('cleo')
      save(inbound('a', free, [user('ann')]), inbound('in', port, [user('dan')]), inbound('b', takenPort, []))
      program.signal('SIGHUP')
      await program.prints(new RegExp(`not reloaded: one problem.*\\n.*\\[Error\\].*${takenPort}.*in use`))
      await wire.echoes()
      await (await tunnel('ann')).echoes()
      expect(await accepts(free)).toBe(false)
      await expect(tunnel('dan')).rejects.toThrow('ended')
    } finally {
      taken.close()
    }
  })

  it('again and again without a change opens and leaves nothing', async () => {
    save(inbound('in', port, [user('ann')]))
    const program = await start()
    const wire = await tunnel('ann')
    const reloads = () =>
      program.stderr.split('configuration reloaded: inbounds, outbounds and users are as before').length - 1
    const reload = async () => {
      const done = reloads()
      program.signal('SIGHUP')
      await expect.poll(reloads, { timeout: 10_000 }).toBe(done + 1)
    }
    await reload()
    const seen = () => (hasProc ? [openDescriptors(program.pid), listener(port)] : [])
    const before = seen()
    for (let i = 0; i < 10; i++) await reload()
    expect(seen()).toEqual(before)
    await wire.echoes()
  })

  it('says that standard input cannot be read again, and that some parts need a restart', async () => {
    save(inbound('in', port, [user('ann')]))
    const piped = new Program(['run', '-c', 'stdin:'], { input: readFileSync(file, 'utf8') })
    await piped.prints(/started/)
    piped.signal('SIGHUP')
    await piped.prints(/\[Error\] the configuration came from standard input, which cannot be read again\n/)
    await (await tunnel('ann')).echoes()
    hangUp()
    await piped.stop()

    const program = await start()
    const config = JSON.parse(readFileSync(file, 'utf8')) as object
    writeFileSync(file, JSON.stringify({ ...config, log: { loglevel: 'debug', access: 'none' } }))
    program.signal('SIGHUP')
    await program.prints(/\[Warning\] changed, and in force after a restart: log\n/)
  })
})
