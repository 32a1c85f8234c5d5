import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { linkToOutbound, parseLink, type ShareLink } from '../../config/link/share-link.ts'
import { readName } from '../../config/link/text.ts'
import { loadConfigValue } from '../../config/load.ts'
import { formatAddress } from '../../core/address.ts'
import type { Config } from '../../settings/model.ts'
import { CliError, exitCodes, usageError } from '../process/exit.ts'
import { StopSignals, untilStopped } from '../process/lifecycle.ts'
import type { Terminal } from '../process/terminal.ts'
import { printProblems } from '../run/report-problems.ts'
import { startInstance } from '../run/start-instance.ts'
import { portNear } from '../serve/free-port.ts'
import { readPortFlag } from '../serve/port-flag.ts'
import { readVia, type Via } from '../via.ts'
import { wantsJson } from './run.ts'

export interface ConnectFlags {
  readonly listen?: string
  readonly port?: string
  readonly linkFile?: string
  readonly choose?: string
  readonly via?: string
  readonly logJson?: boolean
  readonly logFormat?: string
}

const defaultPort = 1080

/** A local SOCKS and HTTP proxy through the server of a share link. */
export async function connect(linkText: string | undefined, flags: ConnectFlags, terminal: Terminal): Promise<number> {
  const logJson = wantsJson(flags)
  const listen = flags.listen ?? '127.0.0.1'
  if (isIP(listen) === 0) throw usageError(`--listen ${listen}: give an IP address of this machine`)
  const link = parseLink(await readLink(linkText, flags.linkFile, terminal), flags.choose)
  for (const warning of warningsOn(link)) terminal.err(warning)
  const port = flags.port === undefined ? await portNear(listen, defaultPort) : readPortFlag(flags.port)
  const via = flags.via === undefined ? undefined : readVia(flags.via, terminal.env, link.address)
  const config = loadOrExit(proxyConfig(link, listen, port, 'none', via), terminal)
  const signals = new StopSignals()
  const running = await startInstance(config, { logJson, terminal })
  const { appLog } = running
  if (flags.port === undefined && port !== defaultPort) terminal.err(`Port ${defaultPort} is taken: using ${port}.`)
  const address = formatAddress({ host: listen, port })
  const server = formatAddress({ host: link.address, port: link.port })
  terminal.out(`Proxy (SOCKS5 and HTTP) on ${address}, through ${server}${via ? `, by way of ${via.shown}` : ''}`)
  terminal.out(`Try it:\n  curl -x socks5h://${address} https://example.com/\n\nCtrl-C stops it.`)
  await untilStopped([running], appLog.log, signals)
  await appLog.close()
  return exitCodes.ok
}

/** The link of the argument, of standard input, of the file, or of the environment; one of them, not two. */
async function readLink(text: string | undefined, file: string | undefined, terminal: Terminal): Promise<string> {
  if (text !== undefined && file !== undefined) throw usageError('give the link or --link-file, not both')
  if (text === '-') return (await terminal.readInput()) ?? ''
  if (text !== undefined) return text
  if (file === undefined) {
    const named = terminal.env.VMESS_LINK
    if (named) return named
    throw usageError(
      'give the link: in a file with --link-file, as VMESS_LINK, with "-" by standard input, or as it is',
    )
  }
  try {
    return await readFile(resolve(terminal.cwd, file), 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw usageError(
      `--link-file ${file}: ${code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`}`,
    )
  }
}

/** `access` is where the access log goes; `via`: what connections to the server go through. */
export function proxyConfig(link: ShareLink, listen: string, port: number, access: '' | 'none', via?: Via): object {
  const { streamSettings, ...server } = linkToOutbound(link)
  const sockopt = via && { sockopt: { dialerProxy: via.outbound.tag } }
  return {
    log: { loglevel: 'warning', access },
    inbounds: [{ tag: 'local', listen, port, protocol: 'mixed', settings: {} }],
    outbounds: [
      { ...server, tag: 'server', streamSettings: { ...(streamSettings as object), ...sockopt } },
      ...(via ? [via.outbound] : []),
    ],
  }
}

/** What the loader says of an outbound and `warningsOn` of its link. */
const saidOfLink: ReadonlySet<string> = new Set(['CFG059', 'CFG105'])

/** What in a link deserves a second thought before everything goes through it. */
function warningsOn(link: ShareLink): string[] {
  const warnings: string[] = []
  const open = link.security === 'none' || link.security === 'zero'
  if (open && !link.tls) {
    warnings.push(`Warning: the link says "${link.security}" without TLS: anyone on the way can read what you send.`)
  }
  if (link.tls?.allowInsecure && link.tls.pinnedCertSha256.length === 0) {
    warnings.push('Warning: the link switches certificate checks off: anyone on the way can pretend to be the server.')
  }
  const { xtls, ...others } = link.unknown
  if (xtls !== undefined) warnings.push('Note: the link asks for XTLS, which is not for VMess: TLS is used.')
  const unknown = Object.keys(others).map(readName)
  if (unknown.length > 0) warnings.push(`Note: not understood in the link, and not used: ${unknown.join(', ')}`)
  return warnings
}

function loadOrExit(value: object, terminal: Terminal): Config {
  const { config, problems } = loadConfigValue(value)
  printProblems(
    problems.filter(({ code }) => !saidOfLink.has(code)),
    terminal,
    { all: false },
  )
  if (!config) throw new CliError(exitCodes.config, 'This link cannot be used here.')
  return config
}
