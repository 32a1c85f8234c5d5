import type { RequestHead } from '../../protocol/http/head.ts'
import { tokensOf, valuesOf } from '../../protocol/http/headers.ts'
import { bytesOf } from '../../protocol/http/text.ts'
import type { HttpUpgradeConfig } from '../../settings/upgrade.ts'
import { wrongPlace, wrongRequest } from '../upgrade/host.ts'
import type { Judge } from '../upgrade/server.ts'
import { UpgradedConn } from './conn.ts'

/** As Xray writes it: every Go peer takes these two headers, each with one word. */
const answer = bytesOf('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')

/** Whether a request asks for our upgrade. */
export const httpUpgradeJudge =
  (config: HttpUpgradeConfig): Judge =>
  (head) => {
    const place = wrongPlace(head, config)
    if (place) return place
    const wrong = wrongUpgrade(head)
    if (wrong) return wrongRequest(wrong)
    return { answer, open: (carrier, rest, client) => new UpgradedConn(carrier, rest, client) }
  }

function wrongUpgrade({ method, minor, headers }: RequestHead): string | undefined {
  if (method !== 'GET' || minor === 0) return 'an upgrade is asked for with GET and HTTP/1.1'
  if (!tokensOf(headers, 'Upgrade').includes('websocket') || !tokensOf(headers, 'Connection').includes('upgrade'))
    return 'it asks for no upgrade; does a web server in front pass Upgrade and Connection on?'
  if (valuesOf(headers, 'Sec-Websocket-Key').length > 0) return 'it asks for a WebSocket: is the client set to ws?'
  return undefined
}
