/** A user's id as people write it: what the parser of the protocol takes, and advice for what it does not take. */
import { redactId } from '../../core/env.ts'
import { formatUuid, parseId } from '../../protocol/vmess/users/identity.ts'
import type { Context } from '../context.ts'
import type { Place } from '../report.ts'

const utf8 = new TextEncoder()
const uuid = /-?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/i

/** Sixteen bytes of a UUID in its usual form, about which there is nothing to say; undefined for all other texts. */
export function plainId(text: string): Uint8Array | undefined {
  return plain.test(text) && text !== nil ? parseId(text) : undefined
}

const plain = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
/** Short enough for a custom id. */
const cutUuid = /^(?=.{13,30}$)[0-9a-f]{8}-[0-9a-f]{4}(?:-[0-9a-f]*)*$/i
const nil = '00000000-0000-0000-0000-000000000000'

/** Sixteen bytes of an id, or undefined after an error. Blanks around it and text behind a UUID are left out with a warning. */
export function readId(written: string, place: Place, { report }: Context): Uint8Array | undefined {
  const text = clean(written, place, report.warn.bind(report))
  const wrapped = /^(?:\{(.*)\}|urn:uuid:(.*))$/i.exec(text)
  const bare = wrapped?.[1] ?? wrapped?.[2] ?? ''
  if (isUuid(bare)) {
    const message = `"${redactId(text)}" is a UUID with ${text.startsWith('{') ? 'braces' : 'a prefix'} around it`
    report.error('CFG051', place, message, `write it alone: ${suggestion(bare)}`)
    return undefined
  }
  try {
    const id = parseId(text)
    if (id.every((byte) => byte === 0))
      report.warn('CFG053', place, 'the nil UUID is an id that anybody would try first')
    if (cutUuid.test(text)) {
      const message = `"${redactId(text)}" looks like a UUID with a part missing, and is taken for a custom id`
      report.warn('CFG052', place, message, uuidHint)
    }
    return id
  } catch {
    const { message, hint } = explain(text)
    report.error('CFG051', place, message, hint)
    return undefined
  }
}

function clean(written: string, place: Place, warn: (code: 'CFG052', place: Place, message: string) => void): string {
  const text = written.trim()
  const whole = new RegExp(`^${uuid.source}`, 'i').exec(text)?.[0]
  if (whole === undefined) {
    // Xray takes every byte of a custom string, so blanks stay.
    if (text !== written) warn('CFG052', place, 'the blanks around this custom id are part of it')
    return written
  }
  if (text !== written) warn('CFG052', place, 'blanks around the id are left out')
  if (whole === text) return text
  warn('CFG052', place, `text behind the UUID "${redactId(whole)}" is left out`)
  return whole
}

/** Only characters that appear when UTF-8 is read as Windows-1252. */
const misread = /^[ -\u02ff\u2010-\u203a\u20ac\u2122]*$/

const isUuid = (text: string): boolean => new RegExp(`^${uuid.source}$`, 'i').test(text)

/** The beginning of the UUID that is meant; never the whole of it. */
const suggestion = (bare: string): string => redactId(formatUuid(parseId(bare)))

function explain(text: string): { message: string; hint: string } {
  const bytes = utf8.encode(text).length
  const name = `"${redactId(text)}"`
  if (bytes === 0) {
    return { message: 'the id is empty', hint: 'make one with `vmess uuid`' }
  }
  if (/[^ -~]/.test(text)) {
    const message = `${name}: a custom id has at most 30 bytes, this one has ${bytes}`
    if (!misread.test(text)) return { message, hint: shortenHint }
    return { message: `${message}, and it looks mis-encoded`, hint: 'copy the text again as UTF-8, or use its UUID' }
  }
  const message = `${name}: a ${bytes}-byte string is neither a UUID (32 to 36 hex characters) nor a custom id (1 to 30 bytes)`
  const bad = /[^0-9a-f-]/i.exec(text)
  if (bytes === 31) return { message: `${message}: too long for a custom id, too short for a UUID`, hint: shortenHint }
  if (bytes > 36) return { message, hint: shortenHint }
  if (bad) return { message: `${message}: character ${bad.index + 1}, "${bad[0]}", is no hex digit`, hint: uuidHint }
  const digits = text.replaceAll('-', '').length
  const shape = digits === 32 ? 'its hyphens are not' : `it has ${digits} hex digits, not 32`
  return { message: `${message}: ${shape} in groups of 8-4-4-4-12`, hint: uuidHint }
}

const uuidHint = 'copy the UUID again, or make one with `vmess uuid`'
const shortenHint = 'shorten it, or use a UUID: `vmess uuid` prints one'
