/** `grpcSettings`. */
import type { z } from 'zod'
import type { Context } from '../../schema/context.ts'
import { flag, integer, object, openWord, text } from '../../schema/fields.ts'
import { transportForm } from '../../schema/kind.ts'
import { shorten } from '../../schema/report.ts'
import type { GrpcConfig } from '../../settings/http2.ts'
import { keepAliveOf, seconds } from '../http2/config.ts'
import { forwardedFor } from '../upgrade/config.ts'

const schema = object(() => ({
  serviceName: text(
    'Name of the service; beginning with a slash it is the whole path of the stream, and of the two of a server with "|" between the last segments. Default: empty.',
  ),
  multiMode: flag('Several pieces in one message, which only Xray knows; a server takes both.'),
  authority: text('What a client calls the server. Default: the server name of TLS, or the address.'),
  user_agent: openWord(
    ['chrome', 'firefox', 'edge', 'golang'],
    'User-Agent of a client: that of a browser, golang for none, or any text. Default: chrome.',
  ),
  idle_timeout: seconds(
    'Silence of the other side before it is asked whether it is there, 10 or more. Default: never.',
  ),
  health_check_timeout: seconds('How long its answer may take. Default: 20.'),
  permit_without_stream: flag('A client asks also when nothing is in progress.'),
  initial_windows_size: integer(
    -(2 ** 31),
    2 ** 31 - 1,
    'Bytes of one stream that may come to a client before they are read; below 65535 the default. Default: 2097152.',
  ),
  parseXForwardedFor: forwardedFor(),
})).describe('Settings of the grpc transport.')
type Input = z.output<typeof schema>

export const grpcForm = transportForm({
  name: 'grpc',
  aliases: ['gun'],
  description: 'gRPC, in the modes gun and multi',
  schema,
  settingsKeys: { grpcSettings: undefined, gunSettings: 'Old name of grpcSettings.' },
  readsRequests: true,
  build(input: Input | undefined = {}, { report }: Context): GrpcConfig {
    const { serviceName = '', authority = '', user_agent: userAgent = '', initial_windows_size: window = 0 } = input
    const wrong = (key: keyof Input, what: string): void =>
      report.error('CFG022', report.at(input, key), what, 'leave out line ends, blanks and what is not ASCII')
    if (!/^[!-~]*$/.test(authority)) wrong('authority', `${JSON.stringify(shorten(authority))} cannot be an authority`)
    if (!/^[ -~]*$/.test(userAgent)) wrong('user_agent', `${JSON.stringify(shorten(userAgent))} cannot be a User-Agent`)
    return {
      serviceName,
      multi: input.multiMode ?? false,
      authority,
      userAgent: userAgent || 'chrome',
      forwarded: input.parseXForwardedFor ?? true,
      keepAlive: keepAliveOf(input.idle_timeout, input.health_check_timeout, input.permit_without_stream),
      ...(window >= 65_535 && { window }),
    }
  },
})
