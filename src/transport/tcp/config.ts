/** `tcpSettings`, Xray's `rawSettings`. */
import type { z } from 'zod'
import type { Context } from '../../schema/context.ts'
import { anyObject, flag, object, refused, word } from '../../schema/fields.ts'
import { transportForm } from '../../schema/kind.ts'

const header = object({
  type: word(['none', 'http'], 'Dress the first bytes up as HTTP, or not.'),
  request: anyObject('Head that the client sends.'),
  response: anyObject('Head that the server sends.'),
}).describe('What the first bytes look like.')

const schema = object({
  header,
  acceptProxyProtocol: refused(
    flag('Expect a PROXY protocol header on every connection.'),
    'the PROXY protocol is not available in this version, and without it every client would seem to be the balancer',
    { code: 'CFG033' },
  ),
}).describe('Settings of the tcp transport.')

/** Says what of the settings is not available. */
function check(input: z.output<typeof schema>, { report }: Context): void {
  if (input.header?.type === 'http') {
    const message = 'the http header is not available in this version, and the other end waits for it'
    report.error('CFG033', report.at(input.header, 'type'), message, 'write "none" on both ends')
  } else if (input.header && (input.header.type === 'none' || !report.wrote(input.header, 'type'))) {
    for (const key of ['request', 'response'] as const) {
      if (Object.keys(input.header[key] ?? {}).length === 0) continue
      report.warn('CFG030', report.at(input.header, key), `"${key}" has no effect: the type of this header is "none"`)
    }
  }
}

export const tcpForm = transportForm({
  name: 'tcp',
  aliases: ['raw'],
  description: 'TCP, or a unix socket',
  schema,
  settingsKeys: { tcpSettings: undefined, rawSettings: 'Xray’s name of tcpSettings; it wins.' },
  build(input, context) {
    if (input) check(input, context)
  },
})
