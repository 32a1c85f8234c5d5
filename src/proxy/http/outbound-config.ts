/** HTTP outbound in V2Ray's and Xray's JSON. */
import { z } from 'zod'
import { flag, mapOf, object, withoutEffect } from '../../schema/fields.ts'
import { outboundForm } from '../../schema/kind.ts'
import { readUpstream, upstreamFields } from '../../schema/parts/upstream.ts'
import { shorten } from '../../schema/report.ts'

const schema = object(() => ({
  ...upstreamFields(),
  headers: mapOf(z.string(), 'Xray: further headers of every request.'),
  h1SkipWaitForReply: withoutEffect(
    flag('V2Ray 5: send the first bytes with the request.'),
    'the answer is waited for, so that a refusal can be told',
  ),
}))

export const httpOutbound = outboundForm({
  kind: 'http',
  aliases: [],
  description: 'Through an HTTP proxy, by CONNECT',
  schema,
  build(input, context) {
    const { report } = context
    const headers = input.headers ?? {}
    for (const [name, value] of Object.entries(headers)) {
      if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t -~\u0080-\u00ff]*$/.test(value)) continue
      const what = `${JSON.stringify(shorten(name))} cannot be sent as a header`
      report.error('CFG022', report.at(input, 'headers'), what, 'leave out line ends, blanks and what is not Latin')
    }
    const servers = readUpstream(input, input, 'http', context)
    return servers && { servers, headers: { ...headers } }
  },
})
