/** `wsSettings`. */
import type { z } from 'zod'
import { escapeTarget } from '../../protocol/http/path.ts'
import type { Context } from '../../schema/context.ts'
import { flag, integer, object, text, withoutEffect } from '../../schema/fields.ts'
import { transportForm } from '../../schema/kind.ts'
import type { EarlyData, WebSocketConfig } from '../../settings/upgrade.ts'
import { readUpgrade, upgradeFields } from '../upgrade/config.ts'

const schema = object(() => ({
  ...upgradeFields(),
  maxEarlyData: integer(
    0,
    2 ** 31 - 1,
    'First bytes of a connection that travel with its request, at most. Default: 0.',
  ),
  earlyDataHeaderName: text('Header that they are in. Default: the end of the path.'),
  heartbeatPeriod: integer(0, 2 ** 31 - 1, 'Seconds between two Pings. Default: 0, none.'),
  useBrowserForwarding: withoutEffect(flag('Let a browser open the connection.'), 'no browser is asked'),
})).describe('Settings of the ws transport.')
type Input = z.output<typeof schema>

export const wsForm = transportForm({
  name: 'ws',
  aliases: ['websocket'],
  description: 'WebSocket',
  schema,
  settingsKeys: { wsSettings: undefined },
  readsRequests: true,
  build(input: Input | undefined = {}, context: Context): WebSocketConfig {
    const { path, earlyData: inPath, ...rest } = readUpgrade(input, context)
    const earlyData = earlyDataOf(input, inPath)
    const heartbeatMs = (input.heartbeatPeriod ?? 0) * 1000
    return { path: escapeTarget(path), ...rest, heartbeatMs, ...(earlyData && { earlyData }) }
  },
})

/** In the path, as Xray and most programs write it, the header is the one that browsers can set. */
function earlyDataOf({ maxEarlyData = 0, earlyDataHeaderName = '' }: Input, inPath: number): EarlyData | undefined {
  if (inPath > 0) return { maxBytes: inPath, headerName: earlyDataHeaderName || 'Sec-WebSocket-Protocol' }
  return maxEarlyData > 0 ? { maxBytes: maxEarlyData, headerName: earlyDataHeaderName } : undefined
}
