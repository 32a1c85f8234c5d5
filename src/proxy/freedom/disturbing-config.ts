/** `fragment` and `noises` of freedom, Xray's. */
import { z } from 'zod'
import type { Context } from '../../schema/context.ts'
import { oneOf } from '../../schema/expected.ts'
import { object, openWord, text } from '../../schema/fields.ts'
import { rangeField, readRange } from '../../schema/parts/range.ts'
import { shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import type { FragmentSettings, NoiseSettings } from '../../settings/disturbing.ts'

export const fragmentSchema = object(() => ({
  packets: openWord(
    ['tlshello', '1-3'],
    'tlshello: the first TLS record becomes several; a range: these writes are cut, the first is 1; nothing: all are.',
  ),
  length: rangeField('Bytes of a piece. Required.'),
  interval: rangeField('Milliseconds between pieces; with 0 the pieces of a TLS record go out together. Required.'),
  maxSplit: rangeField('Pieces at most; the last takes the rest. Default: no limit.'),
})).describe('Cuts what is sent first into pieces.')

/** Undefined after an error. */
export function readFragment(input: z.output<typeof fragmentSchema>, context: Context): FragmentSettings | undefined {
  const { report } = context
  const required = (key: 'length' | 'interval', least: number) => {
    const value = input[key]
    if (value !== undefined) return readRange(value, least, report.at(input, key), context)
    if (!report.wrote(input, key)) report.error('CFG024', report.at(input, key), `"fragment" has no "${key}"`)
    return undefined
  }
  const { packets: written = '', maxSplit } = input
  const word = written.trim().toLowerCase()
  const packets =
    word === 'tlshello' ? word : word === '' ? 'all' : readRange(word, 1, report.at(input, 'packets'), context)
  const [length, intervalMs] = [required('length', 1), required('interval', 0)]
  const most = maxSplit === undefined ? undefined : readRange(maxSplit, 0, report.at(input, 'maxSplit'), context)
  if (!packets || !length || !intervalMs) return undefined
  return { packets, length, intervalMs, ...(most && most.to > 0 && { maxSplit: most }) }
}

const kinds = ['rand', 'str', 'hex', 'base64'] as const
const families = { '': 0, ip: 0, all: 0, ipv4: 4, ipv6: 6 } as const

const noiseSchema = object(() => ({
  type: openWord(kinds, 'rand: random bytes; str, hex, base64: what packet says. Required.'),
  packet: text('Of rand how many bytes, such as "10-20"; otherwise the datagram.'),
  delay: rangeField('Milliseconds until what comes next. Default: 0.'),
  applyTo: openWord(['ip', 'ipv4', 'ipv6'], 'The family of targets. Default: ip, both.'),
})).describe('A datagram.')

export const noisesSchema = z
  .array(noiseSchema)
  .describe('Datagrams that go out before the first one, but for port 53.')

/** Those that are right; others are reported. */
export const readNoises = (inputs: z.output<typeof noisesSchema>, context: Context): readonly NoiseSettings[] =>
  inputs.flatMap((input) => readNoise(input, context) ?? [])

function readNoise(input: z.output<typeof noiseSchema>, context: Context): NoiseSettings | undefined {
  const { report } = context
  const { type = '', packet = '', delay, applyTo = '' } = input
  const family = Object.entries(families).find(([word]) => word === applyTo.toLowerCase())?.[1]
  if (family === undefined) {
    const message = `found ${JSON.stringify(shorten(applyTo))}, expected "ip", "ipv4" or "ipv6"`
    report.error('CFG025', report.at(input, 'applyTo'), message)
  }
  const delayMs = delay === undefined ? { from: 0, to: 0 } : readRange(delay, 0, report.at(input, 'delay'), context)
  const kind = kinds.find((word) => word === type)
  if (!kind) {
    const message = `found ${JSON.stringify(shorten(type))}, expected ${oneOf(kinds)}`
    report.error('CFG025', report.at(input, 'type'), message, didYouMean(type, kinds))
    return undefined
  }
  const place = report.at(input, 'packet')
  const read = kind === 'rand' ? readRange(packet, 1, place, context) : bytesOf(kind, packet.trim())
  if (!read && kind !== 'rand') report.error('CFG028', place, `this is no ${kind}`)
  else if (read && 'to' in read && read.to > largest) {
    report.error('CFG023', place, `found ${read.to} bytes, and a datagram has ${largest} at most`)
    return undefined
  }
  return read && delayMs && family !== undefined ? { packet: read, delayMs, family } : undefined
}

/** Bytes of a datagram that gets through nearly everywhere. */
const largest = 1_472

function bytesOf(kind: 'str' | 'hex' | 'base64', written: string): Uint8Array | undefined {
  if (kind === 'str') return new TextEncoder().encode(written)
  if (kind === 'hex') {
    if (!/^(?:[\da-f]{2})*$/i.test(written)) return undefined
    return Uint8Array.from(written.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  }
  const plain = written.replaceAll('-', '+').replaceAll('_', '/').replaceAll('=', '')
  if (!/^[A-Za-z\d+/]*$/.test(plain) || plain.length % 4 === 1) return undefined
  return Uint8Array.from(atob(plain), (letter) => letter.charCodeAt(0))
}
