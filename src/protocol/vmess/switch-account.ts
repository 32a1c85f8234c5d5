/**
 * The one command that a response can carry: "use this other server for a while" (V2Ray's dynamic port).
 *
 *     host length 1 | host n | port 2 | id 16 | alterId 2 | level 1 | minutes 1          behind its FNV-1a, 4 bytes
 */
import { fnv1a32 } from '../../crypto/checksum.ts'
import { readHostText } from '../wire/host-text.ts'

export interface SwitchAccount {
  /** Domain or IP address as in Address; `''` means the server that sent the command. */
  readonly host: string
  readonly port: number
  /** 16 bytes. */
  readonly id: Uint8Array
  readonly alterId: number
  /** 0 to 255. */
  readonly level: number
  /** How long the account can be used, 0 to 255. */
  readonly validMinutes: number
}

export const switchAccountCommand = 1

/** Everything but the host, with the checksum. */
const fixedLength = 27
/** The length of a command is one byte. */
const commandMax = 255

/** Command data with its checksum; undefined when the host is too long (over 228 bytes). Level and minutes are capped at 255. */
export function encodeSwitchAccount(account: SwitchAccount): Uint8Array | undefined {
  const host = new TextEncoder().encode(account.host.includes(':') ? `[${account.host}]` : account.host)
  if (fixedLength + host.length > commandMax) return undefined
  const data = new Uint8Array(fixedLength + host.length)
  const view = new DataView(data.buffer)
  data[4] = host.length
  data.set(host, 5)
  const at = 5 + host.length
  view.setUint16(at, account.port)
  data.set(account.id, at + 2)
  view.setUint16(at + 18, account.alterId)
  data[at + 20] = Math.min(account.level, 255)
  data[at + 21] = Math.min(account.validMinutes, 255)
  view.setUint32(0, fnv1a32(data, 4))
  return data
}

/** Reads command data; undefined when it makes no sense, which is no reason to end the connection. */
export function decodeSwitchAccount(data: Uint8Array): SwitchAccount | undefined {
  if (data.length < fixedLength) return undefined
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  if (view.getUint32(0) !== fnv1a32(data, 4)) return undefined
  const hostLength = data[4]!
  if (data.length < fixedLength + hostLength) return undefined
  const at = 5 + hostLength
  const host = hostLength === 0 ? '' : readHostText(data.subarray(5, at))
  if (host === undefined) return undefined
  return {
    host,
    port: view.getUint16(at),
    id: data.slice(at + 2, at + 18),
    alterId: view.getUint16(at + 18),
    level: data[at + 20]!,
    validMinutes: data[at + 21]!,
  }
}
