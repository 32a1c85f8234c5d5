/** The share link of a server, from its configuration. */

import { formatUuid } from '../../app/users/ids.ts'
import { formatLink, parseLink, type ShareLink } from '../../config/link/share-link.ts'
import { isProxyError } from '../../core/errors.ts'
import type { Config, InboundConfig } from '../../settings/model.ts'
import { CliError, exitCodes, usageError } from '../process/exit.ts'
import { linkTransport } from './link-transport.ts'

export type VmessInbound = Extract<InboundConfig, { protocol: 'vmess' }>

/** The inbound that links are made for: the first VMess one with a user and a port. */
export function vmessInbound(config: Config, file: string): VmessInbound {
  for (const inbound of config.inbounds) {
    if (inbound.protocol !== 'vmess' || inbound.settings.users.length === 0) continue
    if (inbound.listen.some(({ address }) => address.path === undefined)) return inbound
  }
  throw new CliError(exitCodes.config, `${file}: there is no VMess inbound with a port and a user to make a link for`)
}

/** A link to `inbound` at `host`; `pin` is that of a certificate which no client would trust without. @throws CliError for a host that cannot stand in a link. */
export function serverLink(inbound: VmessInbound, host: string, name: string, pin?: string): string {
  const user = inbound.settings.users[0]!
  const port = inbound.listen.find(({ address }) => address.path === undefined)!.address.port
  const link: ShareLink = {
    name: name || `${host}:${port}`,
    address: host,
    port,
    id: formatUuid(user.id),
    alterId: user.alterId,
    security: 'auto',
    transport: linkTransport(inbound),
    ...(inbound.stream.tls ? { tls: { ...plainTls, pinnedCertSha256: pin === undefined ? [] : [pin] } } : {}),
    experiments: '',
    mux: false,
    unknown: {},
  }
  try {
    return formatLink(parseLink(formatLink(link)))
  } catch (error) {
    if (isProxyError(error)) throw usageError(`--host ${host}: give a domain name or an IP address, without a port`)
    throw error
  }
}

const plainTls = {
  serverName: '',
  alpn: [],
  allowInsecure: false,
  fingerprint: '',
  pinnedCertSha256: [],
  verifyNames: [],
}
