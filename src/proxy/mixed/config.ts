/** SOCKS and HTTP on one port, as in Xray. */
import { inboundForm } from '../../schema/kind.ts'
import { buildSocks, socksSchema } from '../socks/config.ts'

export const mixedInbound = inboundForm({
  kind: 'mixed',
  aliases: [],
  description: 'SOCKS and HTTP proxy on one port',
  schema: socksSchema,
  open: (settings) => settings.auth === 'noauth',
  build: buildSocks,
})
