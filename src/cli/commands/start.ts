import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { autoSecurity } from '../../app/build/auto-security.ts'
import type { AppLog } from '../../app/log/log.ts'
import { parseLink } from '../../config/link/share-link.ts'
import { loadConfigValue } from '../../config/load.ts'
import type { Observer } from '../../core/observer.ts'
import type { Config } from '../../settings/model.ts'
import { CliError, exitCodes } from '../process/exit.ts'
import { StopSignals, untilStopped } from '../process/lifecycle.ts'
import type { Terminal } from '../process/terminal.ts'
import { type Running, startInstance } from '../run/start-instance.ts'
import { portNear } from '../serve/free-port.ts'
import { readPortFlag } from '../serve/port-flag.ts'
import { qrCode } from '../serve/qr.ts'
import { serverLink, vmessInbound } from '../serve/server-link.ts'
import { version } from '../version.ts'
import { proxyConfig } from './connect.ts'
import { uuid } from './uuid.ts'

const loopback = '127.0.0.1'
const greeting = 'Hello from the built-in page. These bytes came through VMess.'

/** Server, client and something to fetch, all in this process on loopback: proof that it works, and a place to play. */
export async function start(flags: { readonly port?: string }, terminal: Terminal): Promise<number> {
  const signals = new StopSignals()
  const page = await startPage()
  const server = await startServer(terminal)
  const { link } = server
  const proxyPort = flags.port === undefined ? await portNear(loopback, 1080) : readPortFlag(flags.port)
  let shown = false
  const client = await startInstance(load(proxyConfig(parseLink(link), loopback, proxyPort, '')), {
    logJson: false,
    terminal,
    access: (log) => whenShown(log, () => shown),
  })
  const pageUrl = `http://${loopback}:${portOf(page)}/`
  const proof = await fetchThrough(proxyPort, pageUrl)
  terminal.out(screen({ proof, pageUrl, proxyPort, link, env: terminal.env, command: terminal.command }))
  shown = true
  await untilStopped([client, server.running], client.appLog.log, signals)
  page.close()
  page.closeAllConnections()
  return exitCodes.ok
}

async function startPage(): Promise<Server> {
  const page = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; charset=utf-8')
    response.end(`${greeting}\n`)
  })
  await new Promise<void>((resolve, reject) => {
    page.once('error', reject)
    page.listen(0, loopback, resolve)
  })
  return page
}

const portOf = (page: Server): number => (page.address() as AddressInfo).port

async function startServer(terminal: Terminal): Promise<{ running: Running; link: string }> {
  const port = await portNear(loopback, 0)
  const config = load({
    log: { loglevel: 'warning', access: 'none' },
    inbounds: [
      { tag: 'vmess', listen: loopback, port, protocol: 'vmess', settings: { clients: [{ id: uuid(undefined) }] } },
    ],
    outbounds: [{ tag: 'direct', protocol: 'freedom' }],
  })
  const link = serverLink(vmessInbound(config, 'quick start'), loopback, 'quick start')
  return { running: await startInstance(config, { logJson: false, terminal }), link }
}

function load(value: object): Config {
  const { config, problems } = loadConfigValue(value)
  if (!config) throw new Error(`the quick start made a wrong configuration: ${problems[0]?.message}`)
  return config
}

/** The client's flows, one line each, once the first screen stands. */
function whenShown(log: AppLog, shown: () => boolean): Observer {
  return {
    routed: (session, tag) => void (shown() && log.access.routed?.(session, tag)),
    failed: (session, error) => void (shown() && log.access.failed?.(session, error)),
    rejected: (at, error) => void (shown() && log.access.rejected?.(at, error)),
  }
}

interface Proof {
  readonly body: string
  readonly ms: number
}

/** Fetches a page by the local HTTP proxy. */
function fetchThrough(proxyPort: number, url: string): Promise<Proof> {
  const started = performance.now()
  const failed = (reason: string) =>
    new CliError(exitCodes.start, `The page did not come through the tunnel: ${reason}`)
  return new Promise((resolve, reject) => {
    const headers = { host: new URL(url).host, connection: 'close' }
    const options = { host: loopback, port: proxyPort, path: url, headers, timeout: 10_000 }
    const sent = request(options, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => (body += part))
      response.on('error', (error) => reject(failed(error.message)))
      response.on('end', () => {
        if (response.statusCode !== 200) return reject(failed(`status ${response.statusCode}`))
        resolve({ body: body.trim(), ms: Math.max(1, Math.round(performance.now() - started)) })
      })
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer within 10 s')))
    sent.on('error', (error) => reject(failed(error.message)))
    sent.end()
  })
}

interface Screen {
  readonly proof: Proof
  readonly pageUrl: string
  readonly proxyPort: number
  readonly link: string
  readonly env: Terminal['env']
  readonly command: string
}

function screen({ proof, pageUrl, proxyPort, link, env, command }: Screen): string {
  // curl leaves the proxy out for hosts in this variable, and loopback often is.
  const around = env.NO_PROXY || env.no_proxy ? " --noproxy ''" : ''
  const proxy = `${loopback}:${proxyPort}`
  return [
    `vmess ${version}: a VMess server and a client, on this machine only.`,
    '',
    `✓ ${pageUrl} answered through VMess (${autoSecurity()}) in ${proof.ms} ms:`,
    `    ${proof.body}`,
    '',
    `Proxy       ${proxy} (SOCKS5 and HTTP)`,
    `Try it      curl -x http://${proxy}${around} ${pageUrl}`,
    `Share link  ${link}`,
    '',
    qrCode(link),
    '',
    `Between two machines: "${command} serve" on the one, "${command} connect LINK" on the other.`,
    'Each request through the proxy shows up below. Ctrl-C stops everything.',
  ].join('\n')
}
