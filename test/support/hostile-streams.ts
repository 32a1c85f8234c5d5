/** Ways in which a stream to the gRPC API can be meant badly. Each needs one stream of a connection. */
import { type Fields, frame, headers, request, reset } from './http2-frames.ts'

const call = '/v2ray.core.app.stats.command.StatsService/GetSysStats'
const named = '/xray.app.stats.command.StatsService/GetStats'

/** A gRPC message: flag of compression, length, bytes. */
function message(bytes: Uint8Array, { compressed = 0, length = bytes.length } = {}): Buffer {
  const head = Buffer.alloc(5)
  head[0] = compressed
  head.writeUInt32BE(length, 1)
  return Buffer.concat([head, bytes])
}

const asks = (stream: number, fields: Fields, body?: Uint8Array): Buffer =>
  body ? Buffer.concat([headers(stream, fields), frame('data', 1, stream, body)]) : headers(stream, fields)

type Attack = (stream: number) => Buffer

const bad = Buffer.from([0x0a, 3, 0xed, 0xa0, 0x80])

const plain: { readonly [name: string]: Attack } = {
  'unknown path': (id) => asks(id, request('/no/such')),
  'content type text/html': (id) => asks(id, request(call, { 'content-type': 'text/html' })),
  'no content type': (id) => asks(id, request(call, { 'content-type': '' })),
  'a known call, unfinished': (id) => asks(id, request(call)),
  'a call that ends without a message': (id) => headers(id, request(call), 5),
  'a path of many bytes': (id) => asks(id, request(`/${'\xff\xfe%'.repeat(500)}`)),
  'a method that is no POST': (id) => asks(id, request(call, { ':method': 'GET' }), message(Buffer.alloc(0))),
  'no message but garbage': (id) => asks(id, request(named), message(Buffer.alloc(40, 0xff))),
  'text that is no UTF-8': (id) => asks(id, request(named), message(bad)),
  'a message longer than allowed': (id) => asks(id, request(named), message(bad, { length: 0xffffffff })),
  'a message cut short': (id) => asks(id, request(named), message(bad, { length: 100 })),
  'two messages': (id) => asks(id, request(call), Buffer.concat([message(bad), message(bad)])),
  'no gzip': (id) => asks(id, request(named, { 'grpc-encoding': 'gzip' }), message(bad, { compressed: 1 })),
  'no deflate': (id) => asks(id, request(named, { 'grpc-encoding': 'deflate' }), message(bad, { compressed: 1 })),
  'an unknown coding': (id) =>
    asks(id, request(named, { 'grpc-encoding': '\xff\u0080' }), message(bad, { compressed: 1 })),
  'a deadline that is over': (id) => asks(id, request(call, { 'grpc-timeout': '1n' })),
  'a deadline that is none': (id) => asks(id, request(call, { 'grpc-timeout': '-1Z' })),
  'binary metadata that is none': (id) => asks(id, request(call, { 'x-bin': '\xff%%%,,,===', 'grpc-x': '\xff' })),
}

/** All of them, each left alone and reset in the same packet. */
export const attacks: readonly { readonly name: string; readonly bytes: Attack }[] = Object.entries(plain).flatMap(
  ([name, bytes]) => [
    { name, bytes },
    { name: `${name}, reset at once`, bytes: (id: number) => Buffer.concat([bytes(id), reset(id)]) },
    { name: `${name}, reset in order`, bytes: (id: number) => Buffer.concat([bytes(id), reset(id, 0)]) },
  ],
)

/** What is sent when the streams are: nothing, or something that ends the connection for the other side. */
export const endings: readonly Buffer[] = [
  Buffer.alloc(0),
  frame('goaway', 0, 0, Buffer.alloc(8)),
  frame('continuation', 0, 1, Buffer.alloc(3)),
  frame('windowUpdate', 0, 0, Buffer.alloc(4)),
  frame('settings', 0, 0, Buffer.alloc(5)),
  Buffer.from('GET / HTTP/1.1\r\n\r\n'),
]
