import { prefixed } from '../../core/streams/prefixed.ts'
import type { RequestHead } from '../../protocol/http/head.ts'
import { tokensOf, valuesOf } from '../../protocol/http/headers.ts'
import { bytesOf } from '../../protocol/http/text.ts'
import { acceptFor } from '../../protocol/websocket/accept.ts'
import type { WebSocketConfig } from '../../settings/upgrade.ts'
import { decodeEarlyData, protocolHeader } from '../upgrade/early-data.ts'
import { wrongPlace, wrongRequest } from '../upgrade/host.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import type { Judge } from '../upgrade/server.ts'
import { originForm } from '../upgrade/target.ts'
import { WsConn } from './conn.ts'

/** Whether a request opens our WebSocket. Early data is taken from wherever a peer may have put it. */
export function webSocketJudge(config: WebSocketConfig, { env }: UpgradeDeps): Judge {
  return (head) => {
    const early = earlyDataOf(head, config)
    // In the path early data may follow, so that the path is no more than the beginning.
    const place = wrongPlace(early?.fromPath ? { ...head, target: config.path } : head, config)
    if (place) return place
    const wrong = wrongUpgrade(head)
    if (wrong) return wrongRequest(wrong)
    const key = valuesOf(head.headers, 'Sec-Websocket-Key')[0]!
    const echo = early?.echo === undefined ? '' : `Sec-WebSocket-Protocol: ${early.echo}\r\n`
    return {
      answer: bytesOf(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          `Sec-WebSocket-Accept: ${acceptFor(key)}\r\n${echo}\r\n`,
      ),
      open: (carrier, rest, client) => {
        const conn = new WsConn(carrier, { rest, heartbeatMs: config.heartbeatMs, clock: env.clock, client })
        return prefixed(conn, early?.bytes ?? new Uint8Array(0))
      },
    }
  }
}

function wrongUpgrade(head: RequestHead): string | undefined {
  const { headers } = head
  if (head.method !== 'GET' || head.minor === 0) return 'a WebSocket is asked for with GET and HTTP/1.1'
  if (!tokensOf(headers, 'Upgrade').includes('websocket') || !tokensOf(headers, 'Connection').includes('upgrade'))
    return 'it asks for no WebSocket; does a web server in front pass Upgrade and Connection on?'
  if (valuesOf(headers, 'Sec-Websocket-Version')[0] !== '13') return 'it asks for no WebSocket of version 13'
  const [key = '', ...others] = valuesOf(headers, 'Sec-Websocket-Key')
  const valid = others.length === 0 && /^[A-Za-z0-9+/]{22}==$/.test(key)
  if (valid) return undefined
  return key === ''
    ? 'there is no Sec-WebSocket-Key: is the client set to HTTPUpgrade?'
    : 'its Sec-WebSocket-Key is none'
}

interface Early {
  readonly bytes: Uint8Array
  /** The header as it came, for the answer: a browser insists on it. */
  readonly echo?: string
  readonly fromPath: boolean
}

function earlyDataOf(head: RequestHead, { path, earlyData }: WebSocketConfig): Early | undefined {
  const named = earlyData?.headerName ?? ''
  for (const name of [protocolHeader, named]) {
    const [value] = name === '' ? [] : headerOf(head, name)
    const bytes = value && decodeEarlyData(value)
    if (!bytes || bytes.length === 0) continue
    return { bytes, fromPath: false, ...(name === protocolHeader && { echo: value }) }
  }
  if (!earlyData || named !== '') return undefined
  const target = originForm(head.target)
  const bytes = target.startsWith(path) ? decodeEarlyData(target.slice(path.length)) : undefined
  return bytes && { bytes, fromPath: true }
}

/** By a name in any case. */
const headerOf = (head: RequestHead, name: string): string[] =>
  head.headers.filter((header) => header.name.toLowerCase() === name.toLowerCase()).map(({ value }) => value)
