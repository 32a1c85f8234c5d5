/** `--via`: a proxy on the way to the server, as an outbound of a configuration. */
import { lookUp } from '../core/lookup.ts'
import { CliError, exitCodes, usageError } from './process/exit.ts'

export interface Via {
  /** Without user and password: for people. */
  readonly shown: string
  /** An outbound with the tag `via`. */
  readonly outbound: Readonly<Record<string, unknown>>
}

interface Scheme {
  readonly protocol: 'socks' | 'http'
  readonly port: number
  readonly version?: string
  readonly tls?: true
}

const schemes: Readonly<Record<string, Scheme>> = {
  socks: { protocol: 'socks', port: 1080 },
  socks5: { protocol: 'socks', port: 1080 },
  socks5h: { protocol: 'socks', port: 1080 },
  socks4: { protocol: 'socks', port: 1080, version: '4' },
  socks4a: { protocol: 'socks', port: 1080, version: '4a' },
  http: { protocol: 'http', port: 80 },
  https: { protocol: 'http', port: 443, tls: true },
}

/** Which say so first; each in small letters too, which go before. */
const variables = ['HTTPS_PROXY', 'ALL_PROXY'] as const

const form =
  'expected socks5://host:port, socks4a://…, http://… or https://…, with user:password@ if the proxy asks for it'

/**
 * The proxy that `--via` names; for the word `env`, that of the environment, undefined where it names none for `server`.
 * No message shows what was written: there may be a password in it.
 */
export function readVia(
  written: string,
  env: Readonly<Record<string, string | undefined>>,
  server: string,
): Via | undefined {
  if (written !== 'env') return viaOf(written, '--via')
  if (isExempt(server, env.no_proxy ?? env.NO_PROXY ?? '')) return undefined
  for (const name of variables.flatMap((name) => [name.toLowerCase(), name])) {
    const value = env[name]
    if (value) return viaOf(value, name)
  }
  const names = variables.join(' nor ')
  throw new CliError(exitCodes.usage, `--via env: neither ${names} is set, in capital or in small letters`)
}

function viaOf(text: string, source: string): Via {
  const [, word = 'http', rest = text] = /^([a-z0-9]+):\/\/(.*)$/is.exec(text.trim()) ?? []
  const scheme = lookUp(schemes, word.toLowerCase())
  const url = urlOf(rest)
  if (!scheme || !url || url.hostname === '' || !['', '/'].includes(url.pathname) || url.search !== '') {
    throw usageError(`${source}: that is no proxy; ${form}`)
  }
  const { protocol, version, tls } = scheme
  const address = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? scheme.port : Number(url.port)
  const named = url.username !== '' || url.password !== ''
  const [user, pass] = [url.username, url.password].map((part) => decoded(part, source))
  return {
    shown: `${word.toLowerCase()}://${url.hostname}:${port}`,
    outbound: {
      tag: 'via',
      protocol,
      settings: { address, port, ...(named && { user, pass }), ...(version !== undefined && { version }) },
      ...(tls && { streamSettings: { security: 'tls' } }),
    },
  }
}

/** Behind a scheme without a meaning of its own every part stays as it is written, port 80 too. */
function urlOf(rest: string): URL | undefined {
  try {
    return new URL(`proxy://${rest}`)
  } catch {
    return undefined
  }
}

function decoded(part: string, source: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw usageError(`${source}: user or password has a "%" that is followed by no two digits; write "%25" for it`)
  }
}

/** As curl reads NO_PROXY: names with everything below them, addresses, or `*`. */
function isExempt(server: string, list: string): boolean {
  const host = server.toLowerCase().replace(/\.$/, '')
  return list
    .split(',')
    .map((item) =>
      item
        .trim()
        .toLowerCase()
        .replace(/^\*?\./, '')
        .replace(/^\[|\]$/g, ''),
    )
    .some((item) => item === '*' || (item !== '' && (host === item || host.endsWith(`.${item}`))))
}
