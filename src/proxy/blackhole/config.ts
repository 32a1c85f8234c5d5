/** blackhole, Xray's block: connections end here. */
import { object, word } from '../../schema/fields.ts'
import { defineOutbound } from '../../schema/kind.ts'

const schema = object({
  response: object({ type: word(['none', 'http'], 'Close at once, or answer 403 first. Default: none.') }).describe(
    'What the client gets.',
  ),
})

export const blackholeOutbound = defineOutbound({
  kind: 'blackhole',
  aliases: ['block'],
  description: 'Closes every connection',
  schema,
  build: (input) => ({ response: input.response?.type ?? 'none' }),
})
