/** What the settings of WebSocket and HTTPUpgrade have in common. */

import { z } from 'zod'
import type { Context } from '../../schema/context.ts'
import { acceptProxyProtocol, flag, mapOf, text } from '../../schema/fields.ts'
import { shorten } from '../../schema/report.ts'

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
  const host = input.host || named.find(isHost)?.[1] || ''
  const wrong = (key: keyof UpgradeInput, what: string): void =>
    report.error('CFG022', report.at(input, key), what, 'leave out line ends, blanks and what is not ASCII')
  if (!/^[!-~]*$/.test(host))
    wrong(input.host ? 'host' : 'headers', `${JSON.stringify(shorten(host))} cannot be a Host`)
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || !/^[\t -~\u0080-\u00ff]*$/.test(value))
      wrong('headers', `${JSON.stringify(shorten(name))} cannot be sent as a header`)
  }
  const path: UpgradePath = parseUpgradePath(input.path ?? '')
  if (!/^[!-~]*$/.test(path.target)) wrong('path', `the path ${JSON.stringify(shorten(path.target))} cannot be sent`)
  return { path, host, headers, servedHost: input.host ?? '', forwarded: input.parseXForwardedFor ?? true }
}

export interface UpgradePath {
  /** What is sent as the request target, query included; begins with a slash. */
  readonly target: string
  /** Bytes of early data that `?ed=` in the path asks for; 0: none. */
  readonly earlyData: number
}

/** A path gets the slash that it lacks; `ed` is taken out of its query and the rest is sorted, as Xray does. */
export function parseUpgradePath(configured: string): UpgradePath {
  const whole = configured.startsWith('/') ? configured : `/${configured}`
  const mark = whole.indexOf('?')
  const query = new URLSearchParams(mark < 0 ? '' : whole.slice(mark + 1))
  const ed = query.get('ed')
  if (ed === null || !/^\d{1,9}$/.test(ed)) return { target: whole, earlyData: 0 }
  query.delete('ed')
  query.sort()
  const rest = query.toString()
  return { target: whole.slice(0, mark) + (rest === '' ? '' : `?${rest}`), earlyData: Number(ed) }
}
