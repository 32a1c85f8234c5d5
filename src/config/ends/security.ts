/** `security` of a stream: TLS or nothing. */
import type { Context } from '../../schema/context.ts'
import { shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'

/** What of a stream says it. */
interface Asked {
  readonly security?: string | undefined
}

/** Words of the field with the same name in a user. Whoever writes one here does not ask for TLS. */
const ciphers = ['auto', 'aes-128-gcm', 'aes-128-cfb', 'chacha20-poly1305', 'zero']

/** True for TLS. */
export function checkSecurity(input: Asked, { report }: Context): boolean {
  const word = (input.security ?? '').trim().toLowerCase()
  if (word === 'tls') return true
  if (word === '' || word === 'none') return false
  const place = report.at(input, 'security')
  if (ciphers.includes(word)) {
    const message = `"${word}" is an encryption of VMess: V2Ray takes it for "none" here, Xray refuses it`
    report.warn('CFG101', place, message, 'leave it out, or write "tls"; the encryption of VMess stands with the user')
    return false
  }
  if (word === 'reality' || word === 'xtls') {
    const message = `"${word}" is not supported: Node’s TLS cannot do it; expected "none" or "tls"`
    report.error('CFG034', place, message)
  } else {
    const message = `unknown security ${JSON.stringify(shorten(word))}, expected "none" or "tls"`
    report.error('CFG101', place, message, didYouMean(word, ['none', 'tls', 'reality']))
  }
  return false
}
