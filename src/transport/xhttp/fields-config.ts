/** The fields of `xhttpSettings`: those of Xray of today, and the names that they had before. */
import { z } from 'zod'
import {
  anyObject,
  flag,
  integer,
  mapOf,
  noted,
  object,
  refused,
  text,
  withoutEffect,
  word,
} from '../../schema/fields.ts'
import { forwardedFor } from '../upgrade/config.ts'

/** A number, or two between which one is drawn. */
const range = (description: string) =>
  noted(z.union([z.int(), z.string()]).describe(description), {
    expected: 'a whole number, or two with a hyphen in double quotes ("100-1000")',
  })

const places = ['path', 'query', 'header', 'cookie'] as const
const maxInt = 2 ** 31 - 1

const xmux = object(() => ({
  maxConcurrency: range('Streams at once on one HTTP/2 connection. Default: any number.'),
  maxConnections: range('HTTP/2 connections to open before any is shared. Default: 3, where nothing is written here.'),
  cMaxReuseTimes: range('Streams that one HTTP/2 connection carries in its life. Default: any number.'),
  hMaxRequestTimes: range('Requests that it carries in its life. Default: 600-900, where nothing is written here.'),
  hMaxReusableSecs: range(
    'Seconds after which it gets no new stream. Default: 1800-3000, where nothing is written here.',
  ),
  hKeepAlivePeriod: integer(-maxInt, maxInt, 'Seconds of silence before a PING; negative: none. Default: 45.'),
  cMaxLifetimeMs: withoutEffect(range('Age of a connection.'), 'write hMaxReusableSecs', [0]),
})).describe('Which HTTP/2 connections of a client its streams share.')

const fields = () => ({
  headers: mapOf(
    z.string(),
    'Further headers of a client. A User-Agent that is only chrome, firefox, safari, edge, curl or golang stands for all headers of that program. Default: those of Chrome.',
  ),
  xPaddingBytes: range(
    'Letters that make a message longer; a server refuses requests with fewer or more. Default: 100-1000.',
  ),
  xPaddingObfsMode: flag('Whether the four settings that follow count.'),
  xPaddingKey: text('Query parameter or cookie of the padding. Default: x_padding.'),
  xPaddingHeader: text('Header of the padding. Default: X-Padding.'),
  xPaddingPlacement: word(
    ['cookie', 'header', 'query', 'queryInHeader'],
    'Where the padding is. Default: queryInHeader.',
  ),
  xPaddingMethod: word(
    ['repeat-x', 'tokenish'],
    'What the padding is made of: X, or letters and digits. Default: repeat-x.',
  ),
  uplinkHTTPMethod: text('Method of uploads; GET only in mode packet-up. Default: POST.'),
  sessionIDPlacement: word(places, 'Where the session id is. Default: path.'),
  sessionIDKey: text('Query parameter, cookie or header of the session id. Default: x_session, in a header X-Session.'),
  sessionPlacement: word(places, 'Old name of sessionIDPlacement.'),
  sessionKey: text('Old name of sessionIDKey.'),
  sessionIDTable: text(
    'Letters of session ids, or the name of a table: ALPHABET, Alphabet, alphabet, BASE36, base36, Base62, HEX, hex, number. Default: they are UUIDs.',
  ),
  sessionIDLength: range('Length of session ids with a table.'),
  seqPlacement: word(places, 'Where the number of an upload is. Default: path.'),
  seqKey: text('Query parameter, cookie or header of the number. Default: x_seq, in a header X-Seq.'),
  uplinkDataPlacement: word(
    ['auto', 'body', 'header', 'cookie'],
    'Where the bytes of an upload are; header and cookie only in mode packet-up. Default: auto.',
  ),
  uplinkDataKey: text('Beginning of the names of these headers or cookies. Default: X-Data, of cookies x_data.'),
  uplinkChunkSize: range('Letters in each of these headers or cookies. Default: 3000-4000, in cookies 2048-3072.'),
  noGRPCHeader: flag('Do not call streaming uploads gRPC.'),
  noSSEHeader: flag('Do not call the stream downwards one of events.'),
  scMaxEachPostBytes: range('Bytes of one upload of mode packet-up; a server refuses more. Default: 1000000.'),
  scMinPostsIntervalMs: range('Milliseconds between two of these uploads. Default: 30.'),
  scMaxBufferedPosts: integer(0, 10_000, 'Uploads of one session that a server holds out of turn. Default: 30.'),
  scStreamUpServerSecs: range(
    'Seconds between two signs of life of a server in mode stream-up; negative: none. Default: 20-80.',
  ),
  serverMaxHeaderBytes: integer(
    0,
    1024 * 1024,
    'Bytes of a request’s head that a server takes. Default: as many as nginx.',
  ),
  xmux,
  scMaxConcurrentPosts: withoutEffect(range('Uploads at once, of old versions.'), 'the server holds them back', [0]),
  maxUploadSize: range('Old name of scMaxEachPostBytes.'),
  minUploadIntervalMs: range('Old name of scMinPostsIntervalMs.'),
  maxConcurrentUploads: withoutEffect(range('Uploads at once, of old versions.'), 'the server holds them back', [0]),
  keepAlivePeriod: withoutEffect(integer(-maxInt, maxInt, 'Of old versions.'), 'write xmux.hKeepAlivePeriod', [0]),
  downloadSettings: refused(
    anyObject('Another server or security for the stream downwards.'),
    'both halves of a connection go to one server here',
    {
      hint: 'leave it out where the server is one and the same; it must be reachable by the address of the outbound then',
    },
  ),
})

export const extraSchema = object(fields).describe(
  'All settings but host, path and mode, as links carry them; those beside it do not count then.',
)

export const xhttpSchema = object(() => ({
  host: text('Host header of a client; what a server insists on. Default: the server name of TLS, or the address.'),
  path: text('What requests begin with; a query behind it is sent with each. Default: /.'),
  mode: text(
    'How the stream upwards travels: packet-up, stream-up or stream-one; a server with auto takes all. Default: auto, for a client packet-up.',
  ),
  ...fields(),
  extra: extraSchema,
  parseXForwardedFor: forwardedFor(),
})).describe('Settings of the xhttp transport.')

export type XhttpFields = z.output<typeof extraSchema>
export type XhttpInput = z.output<typeof xhttpSchema>
