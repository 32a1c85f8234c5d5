import { isIP } from 'node:net'
import { linkToOutbound, parseLink, type ShareLink } from '../../config/link/share-link.ts'
import { loadConfigValue } from '../../config/load.ts'
import { formatAddress } from '../../core/address.ts'
import type { Config } from '../../settings/model.ts'
import { CliError, exitCodes, usageError } from '../exit.ts'
import { portNear } from '../free-port.ts'
import { StopSignals, untilStopped } from '../lifecycle.ts'
import { readPortFlag } from '../port-flag.ts'
import { printProblems } from '../report-problems.ts'
import { startInstance } from '../start-instance.ts'
import type { Terminal } from '../terminal.ts'
import { wantsJson } from './run.ts'

export interface ConnectFlags {
  readonly listen?: string
  readonly port?: string
  readonly logJson?: boolean
  readonly logFormat?: string
}

const defaultPort = 1080

/** A local SOCKS and HTTP proxy through the server of a share link; `-` reads the link from standard input. */
export async function connect(linkText: string, flags: ConnectFlags, terminal: Terminal): Promise<number> {
  const logJson = wantsJson(flags)
  const listen = flags.listen ?? '127.0.0.1'
  if (isIP(listen) === 0) throw usageError(`--listen ${listen}: give an IP address of this machine`)
  const link = parseLink(linkText === '-' ? ((await terminal.readInput()) ?? '') : linkText)
  for (const warning of warningsOn(link)) terminal.err(warning)
  const port = flags.port === undefined ? await portNear(listen, defaultPort) : readPortFlag(flags.port)
  const config = loadOrExit(proxyConfig(link, listen, port, 'none'), terminal)
  const signals = new StopSignals()
  const running = await startInstance(config, { logJson, terminal })
  const { appLog } = running
  if (flags.port === undefined && port !== defaultPort) terminal.err(`Port ${defaultPort} is taken: using ${port}.`)
  const address = formatAddress({ host: listen, port })
  terminal.out(
    `Proxy (SOCKS5 and HTTP) on ${address}, through ${formatAddress({ host: link.address, port: link.port })}`,
  )
  terminal.out(`Try it:\n  curl -x socks5h://${address} https://example.com/\n\nCtrl-C stops it.`)
  await untilStopped([running], appLog.log, signals)
  await appLog.close()
  return exitCodes.ok
}

/** `access` is where the access log goes. */
export function proxyConfig(link: ShareLink, listen: string, port: number, access: '' | 'none'): object {
  return {
    log: { loglevel: 'warning', access },
    inbounds: [{ tag: 'local', listen, port, protocol: 'mixed', settings: {} }],
    outbounds: [{ ...linkToOutbound(link), tag: 'server' }],
  }
}

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
  const unknown = Object.keys(link.unknown)
  if (unknown.length > 0) warnings.push(`Note: not understood in the link, and not used: ${unknown.join(', ')}`)
  return warnings
}

function loadOrExit(value: object, terminal: Terminal): Config {
  const { config, problems } = loadConfigValue(value)
  printProblems(problems, terminal, { all: false })
  if (!config) throw new CliError(exitCodes.config, 'This link cannot be used here.')
  return config
}
