/** What lies around mKCP: `header` and `seed` of V2Ray, `finalmask` of Xray. */
import { asList, asPlain, asText, type Plain, without } from './plain.ts'

interface Mask {
  readonly type: string
  readonly value: string
}

/** Innermost first. Undefined: as V2Ray has it without a word. */
function masksOf(stream: Plain): readonly Mask[] {
  const kcp = asPlain(stream.kcpSettings)
  const items = asList(asPlain(stream.finalmask).udp).map(asPlain)
  if (items.length > 0) {
    const masks = items.map(maskOf)
    return items.some(({ type }) => asText(type).toLowerCase() !== 'mkcp-legacy') ? masks.toReversed() : masks
  }
  if (kcp.seed === undefined && kcp.header === undefined && kcp.maxSendingWindow !== undefined) return []
  const type = asText(asPlain(kcp.header).type)
  const seal = { type: kcp.seed === undefined ? 'plain' : 'gcm', value: asText(kcp.seed) }
  return [seal, ...(type === '' || type === 'none' ? [] : [{ type, value: asText(asPlain(kcp.header).domain) }])]
}

function maskOf(item: Plain): Mask {
  const type = asText(item.type).toLowerCase()
  const { header, value, password, domain } = asPlain(item.settings)
  const named = type === 'mkcp-legacy' ? asText(header) : type.replace(/^header-/, '')
  if (type === 'mkcp-original' || (named === '' && asText(value) === '')) return { type: 'plain', value: '' }
  if (type === 'mkcp-aes128gcm' || named === '') return { type: 'gcm', value: asText(password ?? value) }
  return { type: named === 'wechat' ? 'wechat-video' : named, value: asText(domain ?? value) }
}

/** As V2Ray writes it; undefined where V2Ray has no word for it. */
export function withHeaderAndSeed(stream: Plain): Plain | undefined {
  const [seal, header, ...more] = masksOf(stream)
  const sealed = seal?.type === 'plain' || seal?.type === 'gcm'
  if (!sealed || more.length > 0 || header?.type === 'dns') return undefined
  const { finalmask: _masks, ...rest } = stream
  const { header: _old, seed: _seed, ...kcp } = asPlain(stream.kcpSettings)
  return {
    ...rest,
    kcpSettings: without({
      ...kcp,
      header: header && { type: header.type },
      seed: seal.type === 'gcm' ? seal.value : undefined,
    }),
  }
}

/** As Xray writes it since 26.6. */
export function withFinalmask(stream: Plain): Plain {
  const { header: _old, seed: _seed, ...kcp } = asPlain(stream.kcpSettings)
  const udp = masksOf(stream).map(({ type, value }) => ({
    type: 'mkcp-legacy',
    settings: type === 'plain' || type === 'gcm' ? { header: '', value } : { header: type, value },
  }))
  return without({ ...stream, kcpSettings: kcp, finalmask: udp.length > 0 ? { udp } : undefined })
}
