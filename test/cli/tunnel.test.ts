import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { formatLink, parseLink } from '../../src/config/link/share-link.ts'
import { freePort, Program, tempFolder, vmessHere } from './program.ts'

const linkPattern = /vmess:\/\/[A-Za-z0-9+/=]+/

let page: Server
let pageUrl: string

beforeEach(async () => {
  page = createServer((_request, response) => response.end('the page'))
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve))
  pageUrl = `http://127.0.0.1:${(page.address() as AddressInfo).port}/`
})
afterEach(() => {
  page.close()
  page.closeAllConnections()
})

/** What `curl -x http://127.0.0.1:PROXY URL` does. */
function fetchBy(proxyPort: number, url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { host: new URL(url).host, connection: 'close' }
    request({ host: '127.0.0.1', port: proxyPort, path: url, headers }, (response) => {
      let body = ''
      response.on('data', (data) => (body += data))
      response.on('end', () => resolve(body))
    })
      .on('error', reject)
      .end()
  })
}

describe('serve', () => {
  const serve = (home: string, ...flags: string[]) =>
    new Program(['serve', ...flags], { env: { XDG_CONFIG_HOME: home } })
  const serveHere = (home: string, ...flags: string[]) =>
    vmessHere(['serve', ...flags], { env: { XDG_CONFIG_HOME: home } })
  const fileOf = (home: string) => join(home, 'vmess', 'server.json')

  it('saves a configuration of its own for its owner alone, and prints a link that connect can use', async () => {
    const home = tempFolder()
    const server = serve(home, '--listen', '127.0.0.1', '--name', 'mine')
    await server.prints(/Ctrl-C/)
    expect(server.stdout).toContain(fileOf(home))
    expect(server.stdout).toMatch(/[█▀▄]{10}/)
    expect(statSync(fileOf(home)).mode & 0o777).toBe(0o600)
    expect(statSync(join(home, 'vmess')).mode & 0o777).toBe(0o700)
    const [text] = await server.prints(linkPattern)
    expect(parseLink(text)).toMatchObject({ name: 'mine', address: '127.0.0.1', security: 'auto', alterId: 0 })
    const port = await freePort()
    const client = new Program(['connect', text, '--port', String(port)])
    await client.prints(new RegExp(`curl -x socks5h://127\\.0\\.0\\.1:${port} `))
    expect(await fetchBy(port, pageUrl)).toBe('the page')
    const log = expect.stringMatching(/^(?:\d{4}\/.* SIGINT received.*\n)?$/)
    expect(await client.stop('SIGINT')).toMatchObject({ code: 0, stderr: log })
    expect(await server.stop('SIGINT')).toMatchObject({ code: 0 })
  })

  it('is reached through a proxy that --via names, or the environment', async () => {
    const server = serve(tempFolder(), '--listen', '127.0.0.1')
    const [link] = await server.prints(linkPattern)
    const first = await freePort()
    const file = join(tempFolder(), 'front.json')
    const inbounds = [{ listen: '127.0.0.1', port: first, protocol: 'mixed' }]
    writeFileSync(file, JSON.stringify({ inbounds, outbounds: [{ protocol: 'freedom' }] }))
    const front = new Program(['run', '-c', file])
    await front.prints(/started/)
    for (const [flag, env] of [
      [`socks5://127.0.0.1:${first}`, {}],
      ['env', { ALL_PROXY: `http://127.0.0.1:${first}` }],
    ] as const) {
      const port = await freePort()
      const client = new Program(['connect', link, '--port', String(port), '--via', flag], { env })
      await client.prints(new RegExp(`by way of (?:socks5|http)://127\\.0\\.0\\.1:${first}\n`))
      expect(await fetchBy(port, pageUrl)).toBe('the page')
      await client.stop()
    }
    await front.stop()
    await server.stop()
  })

  it('uses the saved configuration again, as it is', async () => {
    const home = tempFolder()
    const port = await freePort()
    const flags = ['--listen', '127.0.0.1', '--port', String(port), '--id', 'garden gate 7']
    const first = serve(home, ...flags)
    const [link] = await first.prints(linkPattern)
    await first.stop()
    const saved = readFileSync(fileOf(home), 'utf8')
    for (const again of [[], flags]) {
      const second = serve(home, ...again)
      await second.prints(/Using the saved configuration/)
      expect((await second.prints(linkPattern))[0]).toBe(link)
      await second.stop()
      expect(readFileSync(fileOf(home), 'utf8')).toBe(saved)
    }
    expect(parseLink(link).id).toBe('19bdab8b-3c4d-5528-a63e-fad1155ead11')
  })

  it('refuses flags that disagree with the saved configuration, and lists them', async () => {
    const home = tempFolder()
    const port = await freePort()
    const first = serve(home, '--listen', '127.0.0.1', '--port', String(port))
    await first.prints(/Ctrl-C/)
    await first.stop()
    const saved = readFileSync(fileOf(home), 'utf8')
    const { code, stderr } = await serveHere(
      home,
      '--port',
      '1',
      '--listen',
      '0.0.0.0',
      '--id',
      'other',
      '--tls-cert',
      'c',
      '--tls-key',
      'k',
    )
    expect(code).toBe(2)
    for (const words of [
      `--port 1: the saved configuration has ${port}`,
      '--listen',
      '--id',
      '--tls-cert',
      'never overwritten',
    ]) {
      expect(stderr).toContain(words)
    }
    expect(stderr).not.toContain(JSON.parse(saved.replace(/^\/\/.*$/gm, '')).inbounds[0].settings.clients[0].id)
    expect(readFileSync(fileOf(home), 'utf8')).toBe(saved)
  })

  it('leaves somebody else’s file alone, even a broken one', async () => {
    const home = tempFolder()
    mkdirSync(join(home, 'vmess'))
    writeFileSync(fileOf(home), '{ broken')
    const { code, stderr } = await serveHere(home)
    expect(code).toBe(23)
    expect(stderr).toContain(`${fileOf(home)}:1:3`)
    expect(readFileSync(fileOf(home), 'utf8')).toBe('{ broken')
  })

  it('saves nothing when it cannot listen', async () => {
    const taken = createTcpServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as AddressInfo
    const home = tempFolder()
    const { code, stderr } = await serveHere(home, '--listen', '127.0.0.1', '--port', String(port))
    taken.close()
    expect(code).toBe(255)
    expect(stderr).toContain(String(port))
    expect(() => statSync(fileOf(home))).toThrow('ENOENT')
  })

  it('warns when others can read the saved file', async () => {
    const home = tempFolder()
    const config = {
      inbounds: [
        { listen: '127.0.0.1', port: await freePort(), protocol: 'vmess', settings: { clients: [{ id: 'x' }] } },
      ],
      outbounds: [{ protocol: 'freedom' }],
    }
    mkdirSync(join(home, 'vmess'))
    writeFileSync(fileOf(home), JSON.stringify(config), { mode: 0o644 })
    const server = serve(home, '--host', 'vpn.example.org')
    await server.prints(/0600/)
    expect(parseLink((await server.prints(linkPattern))[0]).address).toBe('vpn.example.org')
    await server.stop()
  })

  it('serves TLS with the files given, checks the name in the certificate, and its link works', async () => {
    const tls = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url))
    const files = ['--tls-cert', tls('server.crt'), '--tls-key', tls('server.key')]
    const home = tempFolder()
    const server = serve(home, '--host', 'localhost', '--listen', '127.0.0.1', ...files)
    const [link] = await server.prints(linkPattern)
    const pinnedCertSha256 = [expect.stringMatching(/^[0-9a-f]{64}$/)]
    const wanted = { serverName: '', allowInsecure: false, pinnedCertSha256 }
    expect(parseLink(link)).toMatchObject({ address: 'localhost', tls: wanted })
    const port = await freePort()
    // Its authority is nobody's: the pin alone makes the link work.
    const client = new Program(['connect', link, '--port', String(port)])
    await client.prints(/Ctrl-C/)
    expect(await fetchBy(port, pageUrl)).toBe('the page')
    await client.stop()
    expect(await server.stop()).toMatchObject({ code: 0, stderr: expect.stringMatching(/^Note: .* pin.*\n$/) })
    const misnamed = serve(home, '--host', 'vpn.example.org', ...files)
    await misnamed.prints(/Warning: the certificate is not for vpn\.example\.org/)
    await misnamed.stop()
  })

  it.each([
    [
      'a certificate that is not there',
      'gone.crt',
      'server.key',
      /^--tls-cert: cannot read ".*gone\.crt": the file does not exist\n$/,
    ],
    [
      'a key that is not there',
      'server.crt',
      'gone.key',
      /^--tls-key: cannot read ".*gone\.key": the file does not exist\n$/,
    ],
    [
      'a key in place of a certificate',
      'server.key',
      'server.key',
      /^--tls-cert: ".*server\.key" is not a certificate/,
    ],
    ['the key of another certificate', 'server.crt', 'other.key', /^--tls-key: ".*other\.key" is not the private key/],
  ])('tells %s by its flag, and saves nothing', async (_title, cert, key, words) => {
    const tls = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url))
    const home = tempFolder()
    const { code, stderr } = await serveHere(
      home,
      '--listen',
      '127.0.0.1',
      '--tls-cert',
      tls(cert),
      '--tls-key',
      tls(key),
    )
    expect(code).toBe(2)
    expect(stderr).toMatch(words)
    expect(() => statSync(fileOf(home))).toThrow('ENOENT')
  })

  it('refuses a host that cannot stand in a link', async () => {
    const home = tempFolder()
    const { code, stderr } = await serveHere(home, '--host', 'vpn.example.org:443', '--listen', '127.0.0.1')
    expect(code).toBe(2)
    expect(stderr).toContain('--host vpn.example.org:443')
    expect(() => statSync(fileOf(home))).toThrow('ENOENT')
  })
})

describe('connect', () => {
  const id = '5783a3e7-e373-51cd-8642-c83782b807c5'
  const link = `vmess://${id}@127.0.0.1:1#one`

  it.each([
    ['a file', ['--link-file', 'FILE'], {}, ''],
    ['the environment', [], { VMESS_LINK: link }, ''],
    ['standard input', ['-'], {}, link],
    ['a list, by number', ['-', '--choose', '2'], {}, `vmess://${id}@127.0.0.2:2#other\n${link}`],
    ['a list, by name', ['-', '--choose', 'one'], {}, `vmess://${id}@127.0.0.2:2#other\n${link}`],
  ])('takes its link from %s', async (_title, args, env, input) => {
    const file = join(tempFolder(), 'link.txt')
    writeFileSync(file, `${link}\n`)
    const flags = args.map((arg) => (arg === 'FILE' ? file : arg))
    const client = new Program(['connect', ...flags, '--port', String(await freePort())], { env, input })
    await client.prints(/through 127\.0\.0\.1:1\n/)
    await client.stop()
  })

  it.each([
    [['connect'], 2, '--link-file, as VMESS_LINK'],
    [['connect', '--link-file', '/nowhere/link'], 2, '--link-file /nowhere/link: there is no such file'],
    [['connect', '-', '--link-file', 'x'], 2, 'not both'],
  ])('%j ends with %i and says how to give it', async (args, code, words) => {
    const ended = await vmessHere(args)
    expect(ended.code).toBe(code)
    expect(ended.stderr).toContain(words)
  })

  it.runIf(process.platform === 'linux')('hides its link from ps', async () => {
    const client = new Program(['connect', link, '--port', String(await freePort())])
    await client.prints(/Ctrl-C/)
    const shown = readFileSync(`/proc/${client.pid}/cmdline`, 'utf8')
    expect(shown).not.toContain(id.slice(0, 8))
    expect(shown).toMatch(/^vmess connect … --port \d+/)
    await client.stop()
  })

  it('warns once of what leaves unencrypted, or unverified', async () => {
    for (const query of ['encryption=none', 'security=tls&allowInsecure=1']) {
      const client = new Program(['connect', `vmess://${id}@127.0.0.1:1?${query}`, '--port', String(await freePort())])
      await client.prints(/Ctrl-C/)
      expect((await client.stop()).stderr).toMatch(/^Warning: [^\n]*\n$/)
    }
  })

  it('names XTLS, and what it does not know', async () => {
    const text = `vmess://${Buffer.from(`auto:${id}@127.0.0.1:1`).toString('base64url')}?xtls=1&plugin=x`
    const client = new Program(['connect', text, '--port', String(await freePort())])
    await client.prints(/Ctrl-C/)
    const { stderr } = await client.stop()
    expect(stderr).toContain('XTLS, which is not for VMess')
    expect(stderr).toContain('not used: plugin\n')
  })

  it.each([
    ['vmess://!', 23, 'base64'],
    [`vless://${id}@127.0.0.1:1`, 23, 'another protocol'],
    [`vmess://${id}@127.0.0.1:99999`, 23, 'port'],
    [`vmess://${id}@127.0.0.1:1?type=quic`, 23, 'quic'],
    [`vmess://${id}@127.0.0.1:1?security=reality`, 23, 'REALITY'],
  ])('%s ends with %i and says why', async (link, code, words) => {
    const ended = await vmessHere(['connect', link])
    expect(ended.code).toBe(code)
    expect(ended.stderr).toContain(words)
    expect(ended.stderr).not.toContain(id)
    expect(ended.stderr).not.toMatch(/\n\s+at /)
  })

  it('reads the link from standard input, and warns of what is dangerous in it', async () => {
    const link = `vmess://${id}@127.0.0.1:1?encryption=none&flavour=x#n`
    const port = String(await freePort())
    const client = new Program(['connect', '-', '--port', port], { input: `${link}\n` })
    await client.prints(/Ctrl-C/)
    await client.prints(/Warning: the link says "none" without TLS/)
    await client.prints(/not used: flavour/)
    await client.stop()
    const insecure = new Program(['connect', `vmess://${id}@127.0.0.1:1?security=tls&allowInsecure=1`, '--port', port])
    await insecure.prints(/Ctrl-C/)
    await insecure.prints(/certificate checks off/)
    await insecure.stop()
  })

  it('ends with 255 when the port that was asked for is taken', async () => {
    const link = formatLink(parseLink(`vmess://${id}@127.0.0.1:1`))
    const { port } = page.address() as AddressInfo
    const { code, stderr } = await vmessHere(['connect', link, '--port', String(port)])
    expect(code).toBe(255)
    expect(stderr).toContain(String(port))
  })
})

describe('start', () => {
  it('proves itself, and stays up for more', async () => {
    const program = new Program(['start', '--port', String(await freePort())])
    await program.prints(/Ctrl-C/)
    expect(program.stdout).toMatch(
      /^✓ http:\/\/127\.0\.0\.1:\d+\/ answered through VMess \((aes-128-gcm|chacha20-poly1305)\) in \d+ ms:\n +Hello from the built-in page/m,
    )
    expect(program.stdout).toMatch(/[█▀▄]{10}/)
    expect(parseLink((await program.prints(linkPattern))[0])).toMatchObject({ address: '127.0.0.1' })
    const [, proxyPort, url] = await program.prints(/curl -x http:\/\/127\.0\.0\.1:(\d+) (\S+)/)
    expect(program.stdout).not.toContain(' accepted ')
    expect(await fetchBy(Number(proxyPort), url!)).toContain('Hello from the built-in page')
    await program.prints(/ accepted tcp:127\.0\.0\.1:\d+ \[local >> server\]/)
    const { code, stdout, stderr } = await program.stop('SIGINT')
    expect(code).toBe(0)
    expect(stdout).not.toContain(' accepted ')
    for (const line of stderr.trim().split('\n')) expect(line).toMatch(/ accepted | SIGINT received/)
  })

  it('takes another port when 1080 is taken', async () => {
    const taken = createTcpServer()
    await new Promise<void>((resolve) => taken.once('error', () => resolve()).listen(1080, '127.0.0.1', resolve))
    const program = new Program(['start'])
    const [, port] = await program.prints(/Proxy +127\.0\.0\.1:(\d+)/)
    taken.close()
    expect(Number(port)).not.toBe(1080)
    await program.stop()
  })
})
