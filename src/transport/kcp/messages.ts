/** mKCP in the messages of the gRPC API. */
import type { Fields, Typed } from '../../messages/fields.ts'
import { unavailable } from '../../messages/status.ts'
import { given } from '../../messages/values.ts'

/** Headers by the names of their messages. */
const headers: readonly (readonly [string, string])[] = [
  ['noop.', 'none'],
  ['srtp.', 'srtp'],
  ['utp.', 'utp'],
  ['wechat.', 'wechat-video'],
  ['tls.', 'dtls'],
  ['wireguard.', 'wireguard'],
]

/** A kcp.Config as `kcpSettings`. */
export const kcpJson = ({ fields, family }: Typed): object => (family === 'xray' ? newer(fields) : older(fields))

/** Xray's since 26.1.31, without seal and header. */
const newer = (fields: Fields): object =>
  given({
    mtu: fields.number('mtu'),
    tti: fields.number('tti'),
    uplinkCapacity: fields.number('uplink_capacity'),
    downlinkCapacity: fields.number('downlink_capacity'),
    cwndMultiplier: fields.number('cwnd_multiplier') || 1,
    maxSendingWindow: fields.number('max_sending_window'),
  })

/** V2Ray's. A field that is there says something even when it is zero, for it is a message. */
function older(fields: Fields): object {
  const header = fields.typed('header_config')
  const seed = fields.message('seed')
  return {
    ...number(fields, 'mtu', 'mtu', 'value'),
    ...number(fields, 'tti', 'tti', 'value'),
    ...number(fields, 'uplink_capacity', 'uplinkCapacity', 'value'),
    ...number(fields, 'downlink_capacity', 'downlinkCapacity', 'value'),
    ...number(fields, 'write_buffer', 'writeBufferSize', 'size', toMegabytes),
    ...number(fields, 'read_buffer', 'readBufferSize', 'size', toMegabytes),
    ...given({ congestion: fields.flag('congestion'), header: header && { type: headerType(header) } }),
    ...(seed && { seed: seed.text('seed') }),
  }
}

function number(fields: Fields, name: string, key: string, inner: string, of = (value: number) => value): object {
  const message = fields.message(name)
  return message ? { [key]: of(message.number(inner)) } : {}
}

/** Bytes; half a megabyte is what V2Ray's own form writes for none. */
const toMegabytes = (bytes: number): number => (bytes <= 512 * 1024 ? 0 : Math.ceil(bytes / (1024 * 1024)))

function headerType({ name, type }: Typed): string {
  const found = headers.find(([part]) => name.startsWith(`transport.internet.headers.${part}`))
  if (!found) throw unavailable(`"${type}"`)
  return found[1]
}
