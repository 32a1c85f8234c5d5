/** What the settings of WebSocket and HTTPUpgrade have in common. */

import { z } from 'zod'
import { escapeTarget } from '../../protocol/http/path.ts'
import type { Context } from '../../schema/context.ts'
import { acceptProxyProtocol, flag, mapOf, text } from '../../schema/fields.ts'
import { shorten } from '../../schema/report.ts'
import { readRequestHost } from './host-config.ts'

/** Of every transport whose server reads requests. */
export const forwardedFor = () =>
  flag(
    'Take the address of a client from X-Forwarded-For where a trusted proxy sends it (sockopt.trustedProxies). Default: true.',
  )

export const upgradeFields = () => ({
  path: text('What a client asks for and a server answers to. Default: /.'),
  host: text('Host header of a client; what a server insists on. Default: the server name of TLS, or the address.'),
  headers: mapOf(z.string(), 'Further headers of a client.'),
  acceptProxyProtocol: acceptProxyProtocol(),
  parseXForwardedFor: forwardedFor(),
})

interface UpgradeInput {
  readonly path?: string | undefined
  readonly host?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly parseXForwardedFor?: boolean | undefined
}

/** The host that is used and the headers beside it; what cannot stand in a request is reported. */
export function readUpgrade(input: UpgradeInput, { report }: Context) {
  const named = Object.entries(input.headers ?? {})
  const isHost = ([name]: readonly [string, string]): boolean => name.toLowerCase() === 'host'
  const headers = Object.fromEntries(named.filter((entry) => !isHost(entry)))
  const wrong = (key: keyof UpgradeInput, what: string, hint = 'leave out line ends and what is not ASCII'): void =>
    report.error('CFG022', report.at(input, key), what, hint)
  const read = (key: 'host' | 'headers', text = ''): string =>
    readRequestHost(text, () => report.at(input, key), report)
  const servedHost = read('host', input.host)
  const host = servedHost || read('headers', named.find(isHost)?.[1])
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || !/^[\t -~\u0080-\u00ff]*$/.test(value))
      wrong('headers', `${JSON.stringify(shorten(name))} cannot be sent as a header`)
  }
  const { path, earlyData } = parseUpgradePath(input.path ?? '')
  if (unsendable.test(path)) wrong('path', `the path ${JSON.stringify(shorten(path))} cannot be sent`, cleanPath)
  return { path, earlyData, host, headers, servedHost, forwarded: input.parseXForwardedFor ?? true }
}

/** What no request can hold, however it is escaped: programs in Go refuse it as well. */
export const unsendable = /\p{Cc}/u
export const cleanPath = 'leave out line ends and control characters'

export interface UpgradePath {
  /** What is configured, with a slash in front and without `ed`: the transport says what of it is path and what is query. */
  readonly path: string
  /** Bytes of early data that `?ed=` in the path asks for; 0: none. */
  readonly earlyData: number
}

/** A path gets the slash that it lacks; `ed` is taken out of its query and the rest is sorted, as Xray does. */
export function parseUpgradePath(configured: string): UpgradePath {
  const path = configured.startsWith('/') ? configured : `/${configured}`
  const mark = path.indexOf('?')
  const query = new URLSearchParams(mark < 0 ? '' : path.slice(mark + 1))
  const ed = query.get('ed')
  if (ed === null || !/^\d{1,9}$/.test(ed)) return { path, earlyData: 0 }
  query.delete('ed')
  query.sort()
  const rest = query.toString()
  return { path: escapeTarget(path.slice(0, mark)) + (rest === '' ? '' : `?${rest}`), earlyData: Number(ed) }
}
