import type { RequestHead } from '../../protocol/http/head.ts'
import { tokensOf, valuesOf } from '../../protocol/http/headers.ts'
import { bytesOf } from '../../protocol/http/text.ts'
import type { HttpUpgradeConfig } from '../../settings/upgrade.ts'
import { wrongHost } from '../upgrade/host.ts'
import type { Judge } from '../upgrade/server.ts'
import { pathOf } from '../upgrade/target.ts'
import { UpgradedConn } from './conn.ts'

/** As Xray writes it: every Go peer takes these two headers, each with one word. */
const answer = bytesOf('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')

/** Whether a request asks for our upgrade. */
export function httpUpgradeJudge(config: HttpUpgradeConfig): Judge {
  const served = pathOf(config.path)
  return (head) => {
    const host = wrongHost(head, config.servedHost)
    if (host) return host
    if (pathOf(head.target) !== served) return `the path here is ${config.path}`
    return wrongUpgrade(head) ?? { answer, open: (carrier, rest) => new UpgradedConn(carrier, rest) }
  }
}

function wrongUpgrade({ method, minor, headers }: RequestHead): string | undefined {
  if (method !== 'GET' || minor === 0) return 'an upgrade is asked for with GET and HTTP/1.1'
  if (!tokensOf(headers, 'Upgrade').includes('websocket') || !tokensOf(headers, 'Connection').includes('upgrade'))
    return 'it asks for no upgrade; does a web server in front pass Upgrade and Connection on?'
  if (valuesOf(headers, 'Sec-Websocket-Key').length > 0) return 'it asks for a WebSocket: is the client set to ws?'
  return undefined
}
