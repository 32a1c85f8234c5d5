import { lookUp } from '../../core/lookup.ts'
import type { Context } from '../../schema/context.ts'
import { oneOf } from '../../schema/expected.ts'
import { type FinalmaskInput, kcpMaskTypes } from '../../schema/parts/finalmask.ts'
import { shorten } from '../../schema/report.ts'
import type { KcpMask } from '../../settings/kcp.ts'
import { domainFault } from './space-config.ts'

type Item = NonNullable<FinalmaskInput['udp']>[number]

/** Types of Xray for datagrams that carry something else than mKCP, or carry it in a way that is not offered. */
const otherTypes = ['header-custom', 'noise', 'salamander', 'sudoku', 'xdns', 'xicmp', 'realm']

const headers: Readonly<Record<string, KcpMask['type']>> = {
  dns: 'dns',
  dtls: 'dtls',
  srtp: 'srtp',
  utp: 'utp',
  wechat: 'wechat-video',
  'wechat-video': 'wechat-video',
  wireguard: 'wireguard',
}

/**
 * The layers around mKCP, innermost first. Under the names of Xray 26.1.31 to 26.5 the outermost stood first, as these
 * versions did it.
 */
export function readFinalmask({ udp = [] }: FinalmaskInput, context: Context): readonly KcpMask[] {
  const masks = udp.flatMap((item) => maskOf(item, context) ?? [])
  const old = udp.some(({ type = '' }) => type.toLowerCase() !== 'mkcp-legacy')
  return old ? masks.toReversed() : masks
}

function maskOf(item: Item, context: Context): KcpMask | undefined {
  const { report } = context
  const { type = '', settings = {} } = item
  const word = type.toLowerCase()
  if (word === 'mkcp-legacy') {
    const { header = '', value = '' } = settings
    if (header === '') return value === '' ? { type: 'plain' } : { type: 'gcm', seed: value }
    return headerOf(header, value, item, context)
  }
  if (word === 'mkcp-original') return { type: 'plain' }
  if (word === 'mkcp-aes128gcm') return { type: 'gcm', seed: settings.password ?? settings.value ?? '' }
  if (word.startsWith('header-') && lookUp(headers, word.slice(7))) {
    return headerOf(word.slice(7), settings.domain ?? settings.value ?? '', item, context)
  }
  const place = report.at(item, 'type')
  if (otherTypes.includes(word)) {
    const message = `"${word}" is not supported, and the other end waits for it; of mKCP there is ${oneOf([...kcpMaskTypes])}`
    report.error('CFG034', place, message)
  } else {
    const message = `unknown mask ${JSON.stringify(shorten(type))}, expected ${oneOf([...kcpMaskTypes])}`
    report.error('CFG025', place, message)
  }
  return undefined
}

function headerOf(name: string, value: string, item: Item, { report }: Context): KcpMask | undefined {
  const type = lookUp(headers, name.toLowerCase())
  const place = item.settings ? report.at(item.settings, 'header') : report.at(item)
  if (!type) {
    const message = `unknown header ${JSON.stringify(shorten(name))}, expected ${oneOf(Object.keys(headers))}`
    report.error('CFG025', place, message)
    return undefined
  }
  if (type === 'plain' || type === 'gcm') return undefined
  if (type !== 'dns') return { type }
  const domain = value || 'www.baidu.com'
  const fault = domainFault(domain)
  if (!fault) return { type, domain }
  report.error('CFG028', place, `${JSON.stringify(shorten(domain))} is no domain: ${fault}`)
  return undefined
}
