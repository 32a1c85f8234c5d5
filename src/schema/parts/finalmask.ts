import { z } from 'zod'
import { anyObject, object, openWord, text, withoutEffect } from '../fields.ts'

/** Types that carry mKCP as V2Ray does; the ones behind the first are those of Xray 26.1.31 to 26.5. */
export const kcpMaskTypes = [
  'mkcp-legacy',
  'mkcp-original',
  'mkcp-aes128gcm',
  'header-dns',
  'header-dtls',
  'header-srtp',
  'header-utp',
  'header-wechat',
  'header-wireguard',
] as const

const mask = object(() => ({
  type: openWord(kcpMaskTypes, 'What it is.'),
  settings: object(() => ({
    header: text('Of mkcp-legacy: what datagrams are to look like. Without one it is a seal.'),
    value: text('Of mkcp-legacy: password of the seal, or domain of the header dns.'),
    password: text('Of mkcp-aes128gcm.'),
    domain: text('Of header-dns.'),
  })).describe('Depends on the type.'),
}))

/** Xray’s `finalmask`. */
export const finalmaskSchema = object(() => ({
  udp: z.array(mask.describe('A layer.')).describe('Layers around each datagram of mKCP, the innermost first.'),
  tcp: z.array(anyObject('A layer.')).describe('Layers around the bytes of TCP.'),
  quicParams: withoutEffect(anyObject('Settings of QUIC.'), 'there is no QUIC'),
})).describe('Xray’s layers that disguise what is sent. Without any, mKCP is bare.')

export type FinalmaskInput = z.output<typeof finalmaskSchema>
