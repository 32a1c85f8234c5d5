/** Where a name server is reached: an address, a word, or a URL. */
import { type Address, formatHost, parseHost } from '../../core/address.ts'
import type { Context } from '../../schema/context.ts'
import { oneOf } from '../../schema/expected.ts'
import { type Place, shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import type { DnsServerConfig } from '../../settings/dns.ts'

export type ServerPlace = Pick<DnsServerConfig, 'kind' | 'label' | 'address' | 'path' | 'local'>

const nowhere: Address = { host: '', port: 0 }
const dnsPort = 53

const kinds = { tcp: dnsPort, https: 443, h2c: 80 } as const
const schemes = ['tcp', 'tcp+local', 'https', 'https+local', 'h2c', 'h2c+local'] as const

/** Undefined after an error. @param port that of the object around it, if any */
export function readServer(
  written: string,
  port: number | undefined,
  place: Place,
  { report }: Context,
): ServerPlace | undefined {
  const text = written.trim()
  const shown = JSON.stringify(shorten(text))
  const word = text.toLowerCase()
  if (word === 'localhost' || word === 'fakedns') {
    return { kind: word, label: word, address: nowhere, path: '', local: true }
  }
  const url = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text)
  if (url) return readUrl(url[1]!.toLowerCase(), text, place, report)
  const withPort = /^(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]):(\d{1,5})$/i.exec(text)
  const host = (withPort?.[1] ?? text).replace(/^\[|\]$/g, '')
  if (host === '' || /[\s/]/.test(host) || host.length > 253) {
    report.error('CFG028', place, `found ${shown}, expected an IP address, "localhost", "fakedns" or a URL`)
    return undefined
  }
  if (withPort) {
    const hint = `write { "address": "${host}", "port": ${withPort[2]} }`
    report.warn('CFG028', place, `${shown}: V2Ray and Xray take no port here`, hint)
  }
  const address = { host: formatHost(parseHost(host)), port: port ?? (withPort ? Number(withPort[2]) : dnsPort) }
  return { kind: 'udp', label: text, address, path: '', local: false }
}

function readUrl(scheme: string, text: string, place: Place, report: Context['report']): ServerPlace | undefined {
  const shown = JSON.stringify(shorten(text))
  if (scheme.startsWith('quic')) {
    report.error('CFG034', place, `${shown}: DNS over QUIC is not supported`, 'write "https://…" or "tcp://…"')
    return undefined
  }
  if (scheme === 'udp') {
    report.error('CFG028', place, `${shown}: no program answers by such a URL`, 'write the address alone')
    return undefined
  }
  if (!(schemes as readonly string[]).includes(scheme)) {
    const message = `${shown}: unknown kind of server, expected ${oneOf(schemes)}`
    report.error('CFG028', place, message, didYouMean(scheme, schemes))
    return undefined
  }
  const kind = scheme.replace('+local', '') as keyof typeof kinds
  const read = urlOf(text, kind)
  if (!read) {
    report.error('CFG028', place, `found ${shown}, expected a host behind "${scheme}://"`)
    return undefined
  }
  const host = formatHost(parseHost(read.hostname.replace(/^\[|\]$/g, '')))
  const address = { host, port: read.port === '' ? kinds[kind] : Number(read.port) }
  const path = kind === 'tcp' ? '' : `${read.pathname}${read.search}`
  return { kind, label: text, address, path, local: scheme.endsWith('+local') }
}

function urlOf(text: string, kind: keyof typeof kinds): URL | undefined {
  try {
    const url = new URL(`${kind === 'https' ? kind : 'tcp'}${text.slice(text.indexOf('://'))}`)
    return url.hostname === '' ? undefined : url
  } catch {
    return undefined
  }
}
