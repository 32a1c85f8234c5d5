/** `certificates[]`: whose they are, and where they come from. */
import type { Context } from '../../schema/context.ts'
import type { Place } from '../../schema/report.ts'
import { positionOf } from '../../schema/tree.ts'
import type { IssuerConfig, PemSource, ServedCertificateConfig } from '../../settings/model.ts'
import type { CertificateInput, TlsInput } from './config.ts'

export interface Certificates {
  readonly own: ServedCertificateConfig[]
  readonly issuers: IssuerConfig[]
  readonly authorities: PemSource[]
  readonly clientAuthorities: PemSource[]
  /** False when some were wrong, which has been reported. */
  intact: boolean
}

/** What each end has a use for. */
const usages = { client: ['encipherment', 'verify'], server: ['encipherment', 'verifyclient', 'issue'] } as const

export function readCertificates(input: TlsInput, end: 'client' | 'server', context: Context): Certificates {
  const result: Certificates = { own: [], issuers: [], authorities: [], clientAuthorities: [], intact: true }
  for (const entry of input.certificates ?? []) {
    const { usage = 'encipherment' } = entry
    checkUse(entry, usage, end, context)
    const cert = readPem(entry, 'certificateFile', 'certificate', context)
    const key = readPem(entry, 'keyFile', 'key', context)
    const signs = usage === 'encipherment' || usage === 'issue'
    const place = context.report.at(entry)
    if (cert === undefined) {
      context.report.error('CFG103', place, 'this entry has no certificate', 'write "certificateFile"')
    } else if (signs && cert && key === undefined) {
      context.report.error('CFG103', place, 'this certificate has no private key', 'write "keyFile"')
    }
    if (!cert || (signs && !key)) result.intact = false
    else if (usage === 'verify') result.authorities.push(cert)
    else if (usage === 'verifyclient') result.clientAuthorities.push(cert)
    else if (usage === 'issue') result.issuers.push({ cert, key: key!, buildChain: entry.buildChain ?? false })
    else result.own.push({ cert, key: key!, ocspStaplingS: entry.ocspStapling ?? 0 })
  }
  return result
}

function checkUse(entry: CertificateInput, usage: string, end: 'client' | 'server', { report }: Context): void {
  const useless = (key: keyof CertificateInput, why: string): void =>
    report.warn('CFG030', report.at(entry, key), `"${key}" has no effect here: ${why}`)
  if (!(usages[end] as readonly string[]).includes(usage)) {
    const place = report.at(entry, 'usage')
    report.warn('CFG030', place, `a certificate of usage "${usage}" has no effect on ${article[end]}`, usageHint(usage))
  }
  if (entry.buildChain && usage !== 'issue')
    useless(
      'buildChain',
      'only an authority that issues certificates has a chain to add; put the whole chain into the file',
    )
  if (entry.ocspStapling && (usage !== 'encipherment' || end === 'client'))
    useless('ocspStapling', 'only the own certificates of a server are sent with an answer')
}

const article = { client: 'an outbound', server: 'an inbound' } as const

const usageHint = (usage: string): string | undefined =>
  usage === 'verify' ? 'an authority for certificates of clients has the usage "verifyclient"' : undefined

/** A file, or text given inline; undefined when there is neither, null after an error. */
function readPem(
  entry: CertificateInput,
  fileKey: 'certificateFile' | 'keyFile',
  inlineKey: 'certificate' | 'key',
  { report }: Context,
): PemSource | null | undefined {
  const path = entry[fileKey]
  const once = entry.oneTimeLoading ? { once: true } : {}
  if (path) return { path, ...whereIs(report.at(entry, fileKey)), ...once }
  const inline = entry[inlineKey]
  if (inline === undefined) return report.wrote(entry, inlineKey) || report.wrote(entry, fileKey) ? null : undefined
  const pem = `${typeof inline === 'string' ? inline : inline.join('\n')}\n`
  const place = report.at(entry, inlineKey)
  if (/-----BEGIN [A-Z0-9 ]+-----/.test(pem)) return { pem, ...whereIs(place) }
  report.error(
    'CFG108',
    place,
    'this is not PEM: there is no "-----BEGIN …-----" line',
    `a path belongs in "${fileKey}"`,
  )
  return null
}

/** Where a source was written, for messages of those who read the file. */
function whereIs(place: Place): Pick<PemSource, 'at' | 'file' | 'line' | 'column'> {
  return { at: place.path, file: place.source.name, ...positionOf(place.source, place.offset) }
}
