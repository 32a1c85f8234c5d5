/** From fields to text: what a line of the log looks like, and what must never be in one. */
import { type LogFields, redactId } from '../../core/env.ts'
import { isProxyError } from '../../core/errors.ts'

export type LevelWord = 'Debug' | 'Info' | 'Warning' | 'Error'

/** `2006/01/02 15:04:05` in local time, with microseconds on request. */
export function formatTime(ms: number, options: { micros: boolean }): string {
  const at = new Date(ms)
  const two = (value: number) => String(value).padStart(2, '0')
  const date = `${at.getFullYear()}/${two(at.getMonth() + 1)}/${two(at.getDate())}`
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  const micros = options.micros ? `.${String(Math.floor((ms % 1000) * 1000)).padStart(6, '0')}` : ''
  return `${date} ${time}${micros}`
}

/** `[Warning] message key=value …`, one line whatever the values hold. */
export function formatLine(level: LevelWord, fields: LogFields, message: string): string {
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${valueText(value)}`)
  return `[${level}] ${oneLine(message)}${pairs.join('')}`
}

function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  return typeof value === 'string' && /^[^\s"=]+$/.test(text)
    ? oneLine(text)
    : typeof value === 'string'
      ? JSON.stringify(text)
      : text
}

/** Control characters as escapes: a peer must not be able to forge a line or steer a terminal. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

const identities: ReadonlySet<string> = new Set(['id', 'uuid', 'userid'])
const secrets: ReadonlySet<string> = new Set(['key', 'pass', 'passwd', 'password', 'secret', 'token', 'authorization'])

/**
 * A copy of the fields in plain JSON values, with secrets cut out by the names of their fields and errors reduced to
 * code and message. The second net: callers leave secrets out in the first place. `text` maps every string.
 */
export function safeFields(fields: LogFields, text: (value: string) => string, stacks: boolean): LogFields {
  const seen = new Set<object>()
  const safe = (key: string, value: unknown): unknown => {
    const name = key.toLowerCase()
    if (isText(value) && identities.has(name)) return redactId(String(value))
    if (value !== undefined && value !== null && secrets.has(name)) return '[redacted]'
    if (typeof value === 'string') return text(value)
    if (typeof value === 'bigint') return String(value)
    if (typeof value === 'function' || typeof value === 'symbol') return undefined
    if (typeof value !== 'object' || value === null) return value
    if (value instanceof Error) return errorFields(value, text, stacks)
    if (value instanceof Uint8Array) return `[${value.length} bytes]`
    if (seen.has(value)) return '[circular]'
    seen.add(value)
    if (Array.isArray(value)) return value.map((entry) => safe(key, entry))
    return Object.fromEntries(Object.entries(value).map(([inner, entry]) => [inner, safe(inner, entry)]))
  }
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [[key, safe(key, value)]])),
  )
}

const isText = (value: unknown) => typeof value === 'string' || value instanceof Uint8Array

function errorFields(error: Error, text: (value: string) => string, stacks: boolean): unknown {
  const code = (error as { code?: unknown }).code
  const cause = error.cause instanceof Error ? { cause: text(error.cause.message) } : {}
  // A stack is for mistakes of ours, and only while somebody is looking for one.
  const stack = stacks && !isProxyError(error) && error.stack ? { stack: error.stack } : {}
  return { ...(typeof code === 'string' ? { code } : {}), message: text(error.message), ...cause, ...stack }
}
