/** SOCKS outbound in V2Ray's and Xray's JSON. */
import { flag, object, openWord } from '../../schema/fields.ts'
import { outboundForm } from '../../schema/kind.ts'
import { readUpstream, upstreamFields } from '../../schema/parts/upstream.ts'
import { shorten } from '../../schema/report.ts'

const versions = ['5', '4', '4a'] as const

const schema = object(() => ({
  ...upstreamFields(),
  version: openWord(versions, 'Version of SOCKS, as V2Ray 5 has it. Default: 5.'),
  delayAuthWrite: flag(
    'V2Ray 5: give the login when the proxy has asked for it, not with the first bytes. Default: false.',
  ),
}))

export const socksOutbound = outboundForm({
  kind: 'socks',
  aliases: [],
  description: 'Through a SOCKS proxy',
  schema,
  build(input, context) {
    const { report } = context
    const word = input.version?.toLowerCase() || '5'
    const version = versions.find((known) => known === word)
    if (!version) {
      const message = `found ${JSON.stringify(shorten(input.version!))}, expected "5", "4" or "4a"`
      report.error('CFG025', report.at(input, 'version'), message)
    }
    const servers = readUpstream(input, input, 'socks', context)
    if (!servers || !version) return undefined
    if (version !== '5' && servers.some(({ users }) => users.some(({ pass }) => pass !== ''))) {
      const message = `SOCKS${version} has no passwords, and the proxy would not see this one`
      report.error('CFG023', report.at(input, 'version'), message, 'leave out "pass", or write "version": "5"')
      return undefined
    }
    return { servers, version, delayAuth: input.delayAuthWrite ?? false }
  },
})
