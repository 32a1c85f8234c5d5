/** A real browser, curl and dig: pages of three hosts go three ways, made-up addresses lead to their names, nginx shows its site. */

import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createWebServer, type Server as WebServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createServer, type Server } from '../../src/index.ts'
import { withNginx } from './rig/behind-nginx.ts'
import { hasNginx } from './rig/nginx.ts'

const run = promisify(execFile)
const has = (program: string, ...args: string[]): boolean => spawnSync(program, args).error === undefined
const browser = ['chromium', 'google-chrome'].find((name) => has(name, '--version'))
const hasCurl = has('curl', '--version')
const hasDig = has('dig', '-v')
const missing = [
  browser ? '' : 'a browser',
  hasCurl ? '' : 'curl',
  hasDig ? '' : 'dig',
  hasNginx ? '' : 'nginx',
].filter((name) => name !== '')
const note = missing.length > 0 ? ` (left out: no ${missing.join(', ')})` : ''

/** What a browser without a window shows of a page. */
async function browse(url: string, ...flags: string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'vmess-browser-'))
  const quiet = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run']
  try {
    const args = [...quiet, `--user-data-dir=${folder}`, '--disable-background-networking', ...flags, '--dump-dom', url]
    return (await run(browser!, args, { timeout: 40_000 })).stdout
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

const curl = async (...args: string[]): Promise<string> => (await run('curl', ['-sS', '-m', '10', ...args])).stdout

const ways = ['one', 'two', 'three'] as const
const hosts = ways.map((name) => `${name}.example`)

let sites: WebServer[]
beforeAll(async () => {
  sites = ways.map((name) =>
    createWebServer((request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end(`<h1>${request.headers.host} by ${name}</h1>`)
    }).listen(0, '127.0.0.1'),
  )
  await Promise.all(sites.map((site) => once(site, 'listening')))
})
afterAll(() => {
  for (const site of sites) site.close().closeAllConnections()
})

/** Each way leads to a web server of its own; the last one is where no rule holds. */
const outbounds = () =>
  ways
    .map((tag, i) => {
      const redirect = `127.0.0.1:${(sites[i]!.address() as AddressInfo).port}`
      return { tag, protocol: 'freedom' as const, settings: { redirect } }
    })
    .reverse()

const rules = hosts
  .slice(0, 2)
  .map((host, i) => ({ type: 'field' as const, domain: [`full:${host}`], outboundTag: ways[i]! }))

const portOf = (server: Server, tag: string): number => server.listening.find((one) => one.tag === tag)!.address.port

describe(`three hosts go three ways${note}`, () => {
  const served = async (body: (port: number) => Promise<void>): Promise<void> => {
    const server = createServer({
      inbounds: [
        {
          tag: 'in',
          listen: '127.0.0.1',
          port: 0,
          protocol: 'socks',
          sniffing: { enabled: true, destOverride: ['http', 'tls'] },
        },
      ],
      outbounds: outbounds(),
      routing: { rules },
    } as never)
    await server.listen()
    try {
      await body(portOf(server, 'in'))
    } finally {
      await server.close()
    }
  }

  it.skipIf(!hasCurl)('with curl, which asks for addresses', () =>
    served(async (port) => {
      for (const [i, host] of hosts.entries()) {
        const page = await curl(
          '--socks5',
          `127.0.0.1:${port}`,
          '--resolve',
          `${host}:80:192.0.2.${i + 1}`,
          `http://${host}/`,
        )
        expect(page).toBe(`<h1>${host} by ${ways[i]}</h1>`)
      }
    }),
  )

  it.skipIf(!browser)('with a browser, by names and by addresses', { timeout: 60_000 }, () =>
    served(async (port) => {
      const pages = await Promise.all(
        hosts.map((host, i) =>
          browse(
            `http://${host}/`,
            // By SOCKS 5 it asks for names, by SOCKS 4 for addresses.
            `--proxy-server=socks${i === 0 ? 5 : 4}://127.0.0.1:${port}`,
            '--host-resolver-rules=MAP *.example 192.0.2.9',
          ),
        ),
      )
      for (const [i, page] of pages.entries()) expect(page).toContain(`<h1>${hosts[i]} by ${ways[i]}</h1>`)
    }),
  )
})

describe(`made-up addresses${note}`, () => {
  const config = {
    inbounds: [
      {
        tag: 'in',
        listen: '127.0.0.1',
        port: 0,
        protocol: 'socks',
        sniffing: { enabled: true, destOverride: ['fakedns'], metadataOnly: true },
      },
      {
        tag: 'names',
        listen: '127.0.0.1',
        port: 0,
        protocol: 'dokodemo-door',
        settings: { address: '192.0.2.53', port: 53, network: 'udp' },
      },
    ],
    outbounds: [{ tag: 'dns', protocol: 'dns' }],
    dns: { servers: ['fakedns'] },
    fakedns: { ipPool: '198.18.0.0/15', poolSize: 1000 },
  }

  it.skipIf(!browser || !hasCurl || !hasDig)(
    'lead to the right host, and are shown beside its name, also after a reload',
    { timeout: 90_000 },
    async () => {
      const all = (extra: object[] = []) =>
        ({
          ...config,
          outbounds: [...outbounds(), ...config.outbounds],
          routing: { rules: [{ type: 'field', inboundTag: ['names'], outboundTag: 'dns' }, ...rules, ...extra] },
        }) as never
      const server = createServer(all())
      await server.listen()
      const shown = new Set<string>()
      const leave = await server.control.watch(async ({ type }) => {
        if (type !== 'routed') return
        for (const { outbound, target, sniffed } of await server.control.sessions()) {
          if (outbound !== 'dns') shown.add(`${target} is ${sniffed}, by ${outbound}`)
        }
      })
      try {
        const socks = portOf(server, 'in')
        const dig = async (name: string) =>
          (
            await run('dig', [
              '@127.0.0.1',
              '-p',
              String(portOf(server, 'names')),
              '+short',
              '+tries=2',
              '+time=5',
              name,
            ])
          ).stdout.trim()
        const fake = await dig(hosts[0]!)
        expect(fake).toMatch(/^198\.1[89]\./)
        const fetched = () =>
          Promise.all([
            curl('--socks5', `127.0.0.1:${socks}`, '--resolve', `${hosts[0]}:80:${fake}`, `http://${hosts[0]}/`),
            browse(
              `http://${hosts[0]}/`,
              `--proxy-server=socks4://127.0.0.1:${socks}`,
              `--host-resolver-rules=MAP ${hosts[0]} ${fake}`,
            ),
          ])
        // A browser may have asked for something of its own.
        const expectShown = () =>
          expect([...shown].filter((view) => view.startsWith(fake))).toEqual([`${fake}:80 is ${hosts[0]}, by one`])
        const page = `<h1>${hosts[0]} by one</h1>`
        const [byCurl, byBrowser] = await fetched()
        expect([byCurl, byBrowser.includes(page)]).toEqual([page, true])
        expectShown()
        shown.clear()
        await server.reload(all([{ type: 'field', domain: ['full:elsewhere.example'], outboundTag: 'two' }]))
        const [again, andAgain] = await fetched()
        expect([again, andAgain.includes(page)]).toEqual([page, true])
        expect(await dig(hosts[0]!)).toBe(fake)
        expectShown()
      } finally {
        leave()
        await server.close()
      }
    },
  )
})

describe.skipIf(!hasNginx || !browser)(`a port that nginx shares between a web site and the proxy${note}`, () => {
  it('shows the site to a browser, and carries a client', { timeout: 60_000 }, async () => {
    await withNginx(async ({ port, client }) => {
      const { port: target } = sites[0]!.address() as AddressInfo
      await using one = client('ws')
      const stream = await one.connect({ host: '127.0.0.1', port: target })
      stream.end('GET / HTTP/1.0\r\nHost: inside.example\r\n\r\n')
      const seen = browse(
        `https://localhost:${port}/`,
        '--ignore-certificate-errors',
        '--host-resolver-rules=MAP localhost 127.0.0.1',
      )
      let said = ''
      for await (const part of stream) said += String(part)
      expect(said).toContain('inside.example by one')
      expect(await seen).toContain('<h1>hi</h1>')
    })
  })
})
