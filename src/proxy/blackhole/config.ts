/** blackhole, Xray's block: connections end here. */
import { object, word } from '../../schema/fields.ts'
import { outboundForm } from '../../schema/kind.ts'

const schema = object(() => ({
  response: object(() => ({
    type: word(['none', 'http'], 'Close at once, or answer 403 first. Default: none.'),
  })).describe('What the client gets.'),
}))

export const blackholeOutbound = outboundForm({
  kind: 'blackhole',
  aliases: ['block'],
  description: 'Closes every connection',
  schema,
  build: (input) => ({ response: input.response?.type ?? 'none' }),
})
