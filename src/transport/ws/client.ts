import { type Address, formatAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Dialer } from '../../core/dialer.ts'
import { limits } from '../../core/limits.ts'
import type { ResponseHead } from '../../protocol/http/head.ts'
import { tokensOf, valuesOf } from '../../protocol/http/headers.ts'
import { acceptFor, newKey } from '../../protocol/websocket/accept.ts'
import type { WebSocketConfig } from '../../settings/upgrade.ts'
import { readAnswer, requestBytes } from '../upgrade/client.ts'
import { encodeEarlyData, inPath, protocolHeader } from '../upgrade/early-data.ts'
import { hostFor } from '../upgrade/host.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { whileDialling } from '../upgrade/while-dialling.ts'
import { WsConn } from './conn.ts'
import { EarlyConn } from './early-conn.ts'

/**
 * WebSocket over what a dialer opens. With early data the request leaves with the first write, and until then only the carrier
 * is there. A server that answers without the header that browsers insist on may not have looked at it (sing-box with a plain
 * path loses the bytes, where links with "?ed=" lead to it): it gets none from then on.
 */
export const webSocketClient = (config: WebSocketConfig, deps: UpgradeDeps) => {
  const unsure = new Set<string>()
  return (base: Dialer): Dialer => ({
    async dial(to, options) {
      const carrier = await base.dial(to, options)
      const { earlyData } = config
      const server = formatAddress(to)
      if (!earlyData || unsure.has(server)) {
        return whileDialling(carrier, options, () => handshake(carrier, to, config, deps))
      }
      return new EarlyConn(carrier, {
        maxBytes: Math.min(earlyData.maxBytes, limits.earlyDataMax),
        clock: deps.env.clock,
        open: (early) => handshake(carrier, to, config, deps, early, () => unsure.add(server)),
      })
    },
  })
}

async function handshake(
  carrier: Conn,
  to: Address,
  config: WebSocketConfig,
  deps: UpgradeDeps,
  early: Uint8Array = new Uint8Array(0),
  notEchoed = () => {},
): Promise<WsConn> {
  const { env } = deps
  const { earlyData, heartbeatMs, headers } = config
  const key = newKey(env.random)
  const encoded = encodeEarlyData(early)
  const host = hostFor(to, config, deps)
  const own: [string, string][] = [
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Key', key],
    ['Sec-WebSocket-Version', '13'],
    ['Upgrade', 'websocket'],
  ]
  let target = config.path
  if (encoded !== '' && earlyData) {
    if (inPath(earlyData)) target += encoded
    else own.push([earlyData.headerName, encoded])
  }
  carrier.write(requestBytes({ target, host, headers, own }), () => {})?.catch(() => {}) // shows where it is read
  const what = { target: config.path, host, protocol: 'WebSocket' }
  const rest = await readAnswer(carrier, what, (head) => {
    const inProtocol = encoded !== '' && earlyData?.headerName.toLowerCase() === protocolHeader.toLowerCase()
    if (inProtocol && valuesOf(head.headers, protocolHeader).length === 0) notEchoed()
    return wrongAnswer(head, key)
  })
  return new WsConn(carrier, { random: env.random, rest, heartbeatMs, clock: env.clock })
}

function wrongAnswer({ headers }: ResponseHead, key: string): string | undefined {
  if (!tokensOf(headers, 'Upgrade').includes('websocket')) return 'the server changed to something else'
  if (valuesOf(headers, 'Sec-Websocket-Accept')[0] !== acceptFor(key)) return 'the answer does not fit to the key'
  return undefined
}
