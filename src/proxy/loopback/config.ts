/** loopback: connections go through the rules again, as if they had come by another inbound. */
import { anyObject, object, text, withoutEffect } from '../../schema/fields.ts'
import { outboundForm } from '../../schema/kind.ts'

const schema = object(() => ({
  inboundTag: text('The tag that rules see. Required.'),
  sniffing: withoutEffect(anyObject('Another look at first bytes.'), 'the inbound has looked at them already'),
}))

export const loopbackOutbound = outboundForm({
  kind: 'loopback',
  aliases: [],
  description: 'Leads connections through the rules again, under another inbound tag',
  schema,
  build(input, { report }) {
    if (input.inboundTag) return { inboundTag: input.inboundTag }
    if (input.inboundTag === '' || !report.wrote(input, 'inboundTag')) {
      const message = 'this loopback has no "inboundTag"'
      report.error('CFG024', report.at(input, 'inboundTag'), message, 'write the tag that rules are to see')
    }
    return undefined
  },
})
