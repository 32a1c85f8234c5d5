/** Puts the pieces that every form has together into one record. */
import { formatAddress } from '../../core/address.ts'
import { isProxyError } from '../../core/errors.ts'
import { parseId } from '../../protocol/vmess/users/identity.ts'
import type { LinkTls, LinkTransport, ShareLink } from './model.ts'
import { linkError, quote, readAddress, readAlterId, readName, readPort } from './text.ts'

export interface LinkWords {
  readonly name: string
  readonly address: string
  readonly port: string
  readonly id: string
  readonly alterId?: string
  readonly security?: string
  readonly experiments?: string
  readonly packetEncoding?: string
  readonly mux?: boolean
  readonly transport: LinkTransport
  readonly tls?: LinkTls | undefined
  readonly unknown: Readonly<Record<string, string>>
}

/** What the form calls its fields, for messages. */
export interface PartNames {
  readonly address: string
  readonly port: string
  readonly id: string
  readonly alterId: string
}

export const plainNames: PartNames = {
  address: 'the address',
  port: 'the port',
  id: 'the user id',
  alterId: 'the alterId',
}

export function buildLink(words: LinkWords, names: PartNames = plainNames): ShareLink {
  const address = readAddress(words.address, names.address)
  const port = readPort(words.port.trim(), names.port)
  const packetEncoding = readPacketEncoding(words.packetEncoding ?? '')
  return {
    name: readName(words.name) || formatAddress({ host: address, port }),
    address,
    port,
    id: readId(words.id, names.id),
    alterId: readAlterId((words.alterId ?? '').trim(), names.alterId),
    security: readSecurity(words.security ?? ''),
    transport: words.transport,
    ...(words.tls ? { tls: words.tls } : {}),
    experiments: (words.experiments ?? '').trim(),
    ...(packetEncoding ? { packetEncoding } : {}),
    mux: words.mux ?? false,
    unknown: words.unknown,
  }
}

function readId(text: string, part: string): string {
  const id = text.trim()
  if (id === '') throw linkError(part, 'is missing', 'write the UUID that the server’s file has')
  try {
    parseId(id)
    return id
  } catch (error) {
    if (!isProxyError(error)) throw error
    const problem = `${quote(id)} is neither a UUID nor a custom id`
    throw linkError(part, problem, 'write 32 hex digits with or without dashes, or 1 to 30 bytes of any text')
  }
}

/** Names that other programs have for the same ciphers. */
const aliases: Readonly<Record<string, string>> = {
  '': 'auto',
  'chacha20-ietf-poly1305': 'chacha20-poly1305',
}

function readSecurity(text: string): string {
  const word = readName(text)
  const lower = word.toLowerCase()
  return Object.hasOwn(aliases, lower) ? aliases[lower]! : lower
}

function readPacketEncoding(text: string): ShareLink['packetEncoding'] {
  const word = text.trim().toLowerCase()
  if (word === '') return undefined
  if (word === 'none' || word === 'xudp') return word
  if (word === 'packet' || word === 'packetaddr') return 'packet'
  throw linkError('packetEncoding', `${quote(text)} does not exist`, 'write none, packet or xudp')
}
