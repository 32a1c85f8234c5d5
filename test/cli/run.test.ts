import { readFileSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort, Program, tempFolder, vmessHere } from './program.ts'

const good = { inbounds: [], outbounds: [{ protocol: 'freedom' }] }
const files: Server[] = []
afterEach(() => files.splice(0).forEach((server) => void server.close()))

function configFile(config: object | string): string {
  const file = join(tempFolder(), 'config.json')
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config))
  return file
}

const socks = (port: number) => ({ listen: '127.0.0.1', port, protocol: 'socks', settings: {} })

describe('test', () => {
  it.each([
    ['-test', '-config'],
    ['test', '-c'],
    ['run', '-test', '--config'],
  ])('%s %s says what it reads and that it is good', async (...flags) => {
    const file = configFile(good)
    const { code, stdout } = await vmessHere([...flags, file])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^vmess \d+\.\d+\.\d+ /)
    expect(stdout).toContain(`Reading config: ${file}\n`)
    expect(stdout).toMatch(/\nConfiguration OK\.\n$/)
  })

  it('shows every mistake with its place, and no stack', async () => {
    const bad = '{\n  "inbounds": [\n    { "port": 70000, "protocol": "vmes" }\n  ]\n}\n'
    const file = configFile(bad)
    const { code, stdout, stderr } = await vmessHere(['test', '-c', file])
    expect(code).toBe(23)
    expect(stdout).not.toContain('OK')
    expect(stderr).toContain(`${file}:3:15`)
    expect(stderr).toContain('inbounds[0].port')
    expect(stderr).toContain('inbounds[0].protocol')
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  it('gives scripts a list', async () => {
    const { code, stdout } = await vmessHere(['test', '-json', '-c', configFile('{"inbounds":[{}]}')])
    expect(code).toBe(23)
    const result = JSON.parse(stdout) as { ok: boolean; problems: { code: string; line: number }[] }
    expect(result.ok).toBe(false)
    expect(result.problems[0]).toMatchObject({ code: expect.stringMatching(/^CFG\d{3}$/), line: 1 })
  })

  it('lets warnings pass, unless it is strict', async () => {
    const file = configFile({ ...good, unheardOf: 1 })
    const lenient = await vmessHere(['test', '-c', file])
    expect(lenient).toMatchObject({ code: 0, stderr: expect.stringContaining('unheardOf') })
    expect(await vmessHere(['test', '--strict', '-c', file])).toMatchObject({ code: 23 })
  })

  it('reads standard input', async () => {
    expect(await vmessHere(['test'], { input: JSON.stringify(good), cwd: tempFolder() })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Reading config: stdin\n'),
    })
  })

  it('reads config.json of the working directory', async () => {
    const cwd = tempFolder()
    writeFileSync(join(cwd, 'config.json'), JSON.stringify(good))
    expect(await vmessHere(['-test'], { cwd })).toMatchObject({ code: 0 })
  })

  it('says what is missing when there is nothing to read', async () => {
    const { code, stderr } = await vmessHere(['run'], { cwd: tempFolder() })
    expect(code).toBe(23)
    expect(stderr).toContain('No configuration was found')
    expect(await vmessHere(['run', '-c', 'nowhere.json'])).toMatchObject({
      code: 23,
      stderr: 'nowhere.json: there is no such file\n',
    })
  })

  it('prints the merged configuration with -dump', async () => {
    const [a, b] = [configFile({ ...good, log: { loglevel: 'error' } }), configFile({ log: { loglevel: 'debug' } })]
    const { code, stdout } = await vmessHere(['run', '-dump', '-c', a, '-c', b])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ log: { loglevel: 'debug' }, outbounds: [{ protocol: 'freedom' }] })
  })
})

describe('run', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('listens, says so in the log, and ends with 0 on %s', async (signal) => {
    const port = await freePort()
    const program = new Program(['-config', configFile({ ...good, inbounds: [socks(port)] })])
    await program.prints(new RegExp(`\\[Warning\\] listening on 127\\.0\\.0\\.1:${port} protocol=socks`))
    await program.prints(/\[Warning\] vmess .* started/)
    expect(await program.stop(signal)).toMatchObject({ code: 0 })
  })

  it('writes the log as JSON on request', async () => {
    const program = new Program([
      'run',
      '--log-json',
      '-c',
      configFile({ ...good, inbounds: [socks(await freePort())] }),
    ])
    const [line] = await program.prints(/^.*listening on.*$/m)
    expect(JSON.parse(line)).toMatchObject({ level: 'warning', protocol: 'socks' })
    await program.stop()
  })

  it('writes error and access log to files', async () => {
    const folder = tempFolder()
    const [error, access] = [join(folder, 'error.log'), join(folder, 'access.log')]
    const port = await freePort()
    const target = createServer((socket) => socket.end('hello'))
    files.push(target)
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
    const { port: targetPort } = target.address() as { port: number }
    const door = {
      tag: 'door',
      listen: '127.0.0.1',
      port,
      protocol: 'dokodemo-door',
      settings: { address: '127.0.0.1', port: targetPort },
    }
    const config = { log: { error, access }, inbounds: [door], outbounds: [{ tag: 'out', protocol: 'freedom' }] }
    const program = new Program(['run', '-c', configFile(config)])
    await until(() => readOr(error).includes('started'))
    expect(await receive(port)).toBe('hello')
    await program.stop()
    expect(program.stdout).toBe('')
    expect(readOr(access)).toMatch(
      new RegExp(
        `^\\d{4}/\\d\\d/\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{6} from 127\\.0\\.0\\.1:\\d+ accepted tcp:127\\.0\\.0\\.1:${targetPort} \\[door >> out\\]\\n$`,
      ),
    )
  })

  it('waits for connections after the first signal, and cuts them after the second', async () => {
    const port = await freePort()
    const program = new Program(['run', '-c', configFile({ ...good, inbounds: [socks(port)] })])
    await program.prints(/started/)
    const client = connectTcp(port, '127.0.0.1')
    const silent = createServer()
    files.push(silent)
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port: targetPort } = silent.address() as { port: number }
    const answered = () => new Promise((resolve) => client.once('data', resolve))
    const closed = new Promise((resolve) => client.once('close', resolve))
    client.on('error', () => {})
    client.write(Uint8Array.of(5, 1, 0))
    await answered()
    // A stranger would be cut by the first signal, and the program would end by itself.
    client.write(Uint8Array.of(5, 1, 0, 1, 127, 0, 0, 1, targetPort >> 8, targetPort & 255))
    await answered()
    program.signal('SIGTERM')
    await program.prints(/SIGTERM received: waiting up to 10 s/)
    const started = performance.now()
    expect(await program.stop()).toMatchObject({ code: 0 })
    expect(performance.now() - started).toBeLessThan(5000)
    await closed
  })

  it('ends with 255 when a port is taken, and names it', async () => {
    const taken = createServer()
    files.push(taken)
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    const { code, stderr } = await vmessHere(['run', '-c', configFile({ ...good, inbounds: [socks(port)] })])
    expect(code).toBe(255)
    expect(stderr).toContain(String(port))
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  it('ends with 255 when a log file cannot be opened', async () => {
    const { code, stderr } = await vmessHere([
      'run',
      '-c',
      configFile({ ...good, log: { error: '/no/such/folder/error.log' } }),
    ])
    expect(code).toBe(255)
    expect(stderr).toBe('the log file /no/such/folder/error.log cannot be opened: its directory does not exist\n')
  })

  it('ends with 23 when a certificate file is missing', async () => {
    const tlsSettings = { certificates: [{ certificateFile: '/no/such.pem', keyFile: '/no/such.key' }] }
    const inbound = { ...socks(await freePort()), streamSettings: { security: 'tls', tlsSettings } }
    const { code, stderr } = await vmessHere(['run', '-c', configFile({ ...good, inbounds: [inbound] })])
    expect(code).toBe(23)
    expect(stderr).toContain('/no/such.pem')
    expect(stderr).not.toMatch(/\n\s+at /)
  })
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20))
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function receive(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    connectTcp(port, '127.0.0.1')
      .on('data', (data) => (text += data))
      .on('end', () => resolve(text))
      .on('error', reject)
  })
}
