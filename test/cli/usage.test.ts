import { describe, expect, it } from 'vitest'
import { tempFolder, vmess, vmessHere } from './program.ts'

describe('small commands', () => {
  it.each([['version'], ['-version'], ['--version']])('%s', async (flag) => {
    expect(await vmess([flag])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^vmess \d+\.\d+\.\d+ \(Node .*\)\nnative twin: .+\n$/),
    })
  })

  it('uuid prints a random UUID, and with -i the one of a text', async () => {
    expect(await vmessHere(['uuid'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[0-9a-f-]{36}\n$/) })
    expect(await vmessHere(['uuid', '-i', 'example'])).toEqual({
      code: 0,
      stdout: 'feb54431-301b-52bb-a6dd-e1e93e81bb9e\n',
      stderr: '',
    })
    expect(await vmessHere(['uuid', '-i', 'x'.repeat(31)])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('Input must be within 30 bytes.'),
    })
  })
})

describe('help', () => {
  it.each([['help'], ['-h'], ['--help'], ['-help']])('%s shows commands, exit codes and examples', async (flag) => {
    const { code, stdout } = await vmessHere([flag])
    expect(code).toBe(0)
    for (const words of ['run', 'serve', 'connect', 'start', 'uuid', 'Exit codes', '23', '255', 'Examples:']) {
      expect(stdout).toContain(words)
    }
    // From a fresh clone nothing is called vmess.
    expect(stdout).toMatch(/node \S+dist\/cli\.js start /)
    expect(stdout).not.toMatch(/\bvmess (?:start|run|serve)/)
  })

  it.each([
    ['run', ['-c, --config <file>', 'Which files are read', 'VMESS_LOCATION_CONFDIR', 'standard input', 'Exit codes']],
    ['test', ['--json', 'Which files are read']],
    ['serve', ['--tls-cert', 'server.json', 'never overwritten', 'Examples:']],
    ['connect', ['[link]', '--link-file', 'VMESS_LINK', '1080', 'Examples:']],
    ['start', ['--port']],
    ['uuid', ['-i, --input <text>']],
  ])('help %s', async (command, words) => {
    const shown = [await vmessHere(['help', command]), await vmessHere([command, '-h'])]
    for (const { code, stdout } of shown) {
      expect(code).toBe(0)
      for (const word of words) expect(stdout).toContain(word)
    }
  })
})

describe('wrong command lines', () => {
  it.each([
    [['run', '-confg', 'x'], '--config'],
    [['-bogus'], 'bogus'],
    [['run', '-test=maybe'], 'test'],
    [['run', '-config'], 'argument missing'],
    [['run', 'config.json'], 'too many arguments'],
    [['rum'], 'run'],
    [['connect'], 'link'],
    [['run', '-format', 'protobuf'], 'protobuf'],
    [['run', '-log-format', 'xml', '-c', 'x'], 'text or json'],
    [['serve', '--port', '70000'], '1 to 65535'],
    [['serve', '--listen', 'localhost'], 'IP address'],
    [['serve', '--tls-cert', 'x'], 'give both'],
    [['serve', '--id', 'x'.repeat(31)], '30 bytes'],
    [['connect', 'vmess://x', '--listen', 'here'], 'IP address'],
  ])('%j end with 2 and say why', async (args, words) => {
    const env = { XDG_CONFIG_HOME: tempFolder() }
    const { code, stdout, stderr } = await vmessHere(args, { env })
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain(words)
    if (stderr.startsWith('error:')) expect(stderr).toMatch(/\nUsage: node \S+dist\/cli\.js /)
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  it.each(['api', 'tls', 'x25519', 'wg', 'config', 'verify'])('%s: says what it is elsewhere', async (name) => {
    const { code, stderr } = await vmessHere([name, '--whatever'])
    expect(code).toBe(2)
    expect(stderr).toMatch(new RegExp(`^"${name}" .+\\.\\n$`))
  })

  it('api: says what to use with this program', async () => {
    expect((await vmessHere(['api', 'statsquery'])).stderr).toMatch(
      /use "v2ctl api" or "xray api".*api\.listen.*control API/,
    )
  })
})
