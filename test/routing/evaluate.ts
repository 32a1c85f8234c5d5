/** Puts a recorded case before our router: the configuration is loaded as a file, first bytes are looked at as ever. */

import { viewOf } from '../../src/app/routing/view.ts'
import { prepareExcluded } from '../../src/app/sniffing/excluded.ts'
import { apply } from '../../src/app/sniffing/recognise.ts'
import { loadConfig } from '../../src/config/load.ts'
import { silentLogger } from '../../src/core/env.ts'
import type { Session } from '../../src/core/session.ts'
import { StreamSniffer } from '../../src/protocol/sniff/stream.ts'
import type { RandomAccess } from '../../src/routing/geo/data-file.ts'
import { GeoLists } from '../../src/routing/geo/lists.ts'
import { Router } from '../../src/routing/router.ts'
import type { Config } from '../../src/settings/model.ts'
import sniffing from '../vectors/sniffing.json' with { type: 'json' }

export interface Case {
  readonly network?: 'tcp' | 'udp'
  readonly domain?: string
  readonly ip?: string
  readonly socksDomain?: string
  readonly port?: number
  readonly sourceIP?: string
  readonly sourcePort?: number
  readonly inbound?: string
  readonly user?: string
  readonly httpRequest?: { readonly method: string; readonly url: string; readonly headers?: Record<string, string> }
  readonly payloadHex?: string
  readonly tlsHelloSNI?: string
}

export const bytesFile = (bytes: Uint8Array): RandomAccess => ({
  size: bytes.length,
  read: (at, length) => bytes.subarray(at, at + length),
})

export function filesOf(files: Readonly<Record<string, string>>): GeoLists {
  return new GeoLists((name) => {
    const text = files[name]
    return text === undefined ? `${name} was not found` : bytesFile(Buffer.from(text, 'base64'))
  })
}

export function configOf(routing: unknown, rest: object): { config: Config | undefined; problems: readonly string[] } {
  const root = {
    inbounds: [
      { tag: 'in', protocol: 'socks', port: 1, settings: { udp: true } },
      { tag: 'in2', protocol: 'socks', port: 2 },
      {
        tag: 'auth',
        protocol: 'socks',
        port: 3,
        settings: {
          auth: 'password',
          accounts: ['alice@x', 'bob', 'carol', 'x@corp'].map((user) => ({ user, pass: 'p' })),
        },
      },
      { tag: 'http', protocol: 'http', port: 4 },
    ].map((inbound) => ({ ...inbound, listen: '127.0.0.1', ...rest })),
    ...rest,
    routing,
  }
  const { env, ...written } = root as typeof root & { env?: Record<string, string> }
  const { config, problems } = loadConfig([{ name: 'c.json', text: JSON.stringify(written) }], env ? { env } : {})
  return {
    config,
    problems: problems.filter(({ severity }) => severity === 'error').map(({ message }) => message),
  }
}

export function sessionOf(given: Case, config: Config): Session {
  const inboundTag = given.inbound ?? (given.user === undefined ? 'in' : 'auth')
  const { host, port, attributes } = given.httpRequest ? requestOf(given.httpRequest) : targetOf(given)
  const session: Session = {
    id: 1,
    inboundTag,
    source: `${given.sourceIP ?? '127.0.0.1'}:${given.sourcePort ?? 40000}`,
    local: '127.0.0.1:1080',
    network: given.network ?? 'tcp',
    target: { host, port },
    user: { email: given.user ?? '', level: 0 },
    startedAt: 0,
    ...(attributes && { attributes }),
  }
  const settings = config.inbounds.find(({ tag }) => tag === inboundTag)?.sniffing
  prepareExcluded(settings, { env: { log: silentLogger } })
  const bytes = firstBytes(given)
  if (settings && !settings.metadataOnly && bytes) {
    const sniffer = new StreamSniffer()
    let verdict = sniffer.look(bytes)
    if (verdict === 'undecided') verdict = sniffer.end(bytes)
    if (typeof verdict === 'object') apply(session, { sniffed: verdict }, settings)
  }
  return session
}

const targetOf = ({ domain, ip, socksDomain, port = 80 }: Case) => ({
  host: (domain ?? ip ?? socksDomain ?? '').replace(/^\[(.*)\]$/, '$1'),
  port,
  attributes: undefined,
})

function requestOf({ method, url, headers }: NonNullable<Case['httpRequest']>) {
  if (method === 'CONNECT') {
    const [host = '', port = '80'] = url.split(':')
    return { host, port: Number(port), attributes: undefined }
  }
  const { hostname, port, pathname } = new URL(url)
  const named = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])
  const attributes = { ...Object.fromEntries(named), ':method': method.toUpperCase(), ':path': pathname }
  return { host: hostname, port: Number(port || '80'), attributes }
}

function firstBytes({ payloadHex, tlsHelloSNI }: Case): Uint8Array | undefined {
  if (payloadHex) return Buffer.from(payloadHex, 'hex')
  return tlsHelloSNI ? helloFor(tlsHelloSNI) : undefined
}

/** The recorded ClientHello with another name. */
function helloFor(name: string): Uint8Array {
  const plain = sniffing.cases.find((it) => it.name === 'tls plain')!
  const hello = Buffer.from(plain.chunks[0]![1] as string, 'hex')
  const old = Buffer.from('s.example.com')
  const at = hello.indexOf(old)
  const whole = Buffer.concat([hello.subarray(0, at), Buffer.from(name), hello.subarray(at + old.length)])
  const longer = name.length - old.length
  const add = (place: number) => whole.writeUInt16BE(whole.readUInt16BE(place) + longer, place)
  for (const place of [3, 7, at - 2, at - 5, at - 7]) add(place)
  // The length of all extensions stands two bytes before the first of them, which is this one.
  add(at - 11)
  return whole
}

/** Tag of the outbound, `closed`, or `error` where the configuration is refused. */
export async function evaluate(
  router: Router,
  session: Session,
  hosts: Readonly<Record<string, string | readonly string[]>>,
): Promise<{ outboundTag?: string; balancerTag?: string } | undefined> {
  const resolve = async (name: string): Promise<readonly string[]> => {
    const found = hosts[name]
    if (found === undefined) return []
    if (typeof found !== 'string') return found
    return hosts[found] === undefined ? [found] : resolve(found)
  }
  return (await router.pick(viewOf(session), resolve))?.rule
}

export { Router }
