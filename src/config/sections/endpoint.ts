/** Where an API listens: one text for the address and the port, or a unix socket. */
import { type Address, formatHost, parseHost } from '../../core/address.ts'
import type { Context } from '../../schema/context.ts'
import { type Place, shorten } from '../../schema/report.ts'
import { resolveEnv } from '../../schema/values.ts'
import { allAddresses, readUnix } from '../ends/listen.ts'

/**
 * `127.0.0.1:8080`, `[::1]:8080`, `:8080` for all addresses, `/path`, `@name`, or a variable. Undefined after an error,
 * which shows the text by `show`.
 */
export function readEndpoint(
  written: string,
  place: Place,
  context: Context,
  show: (text: string) => string = shorten,
): Address | undefined {
  const text = resolveEnv(written.trim(), place, context)?.trim()
  if (text === undefined) return undefined
  const path = /^(?:unix:)?([/@].*)$/s.exec(text)?.[1]
  if (path !== undefined) return readSocket(path, place, context)
  const [, name = '', port = ''] = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/s.exec(text) ?? []
  const host = hostOf(name)
  if (port !== '' && Number(port) <= 65535 && host !== undefined) return { host, port: Number(port) }
  const expected = 'expected an IP address and a port such as "127.0.0.1:8080", or the absolute path of a unix socket'
  context.report.error('CFG028', place, `found ${JSON.stringify(show(text))}, ${expected}`, hintFor(text, port))
  return undefined
}

function hostOf(text: string): string | undefined {
  if (text === '') return allAddresses
  if (text.toLowerCase() === 'localhost') return '127.0.0.1'
  const host = parseHost(text)
  if (host.kind === 'domain') return undefined
  const shown = formatHost(host)
  return shown === '0.0.0.0' ? allAddresses : shown
}

function hintFor(text: string, port: string): string | undefined {
  if (/^\d{1,5}$/.test(text)) return `write "127.0.0.1:${text}"`
  if (Number(port) > 65535) return 'ports go up to 65535'
  if (port !== '') return 'names are not looked up here: write the IP address'
  const host = parseHost(text)
  if (host.kind !== 'domain') return `write "${host.kind === 'ipv6' ? `[${formatHost(host)}]` : formatHost(host)}:8080"`
  return undefined
}

function readSocket(path: string, place: Place, context: Context): Address | undefined {
  const [socket] = readUnix(path, place, context) ?? []
  if (socket?.mode !== undefined) {
    context.report.warn('CFG030', place, 'the mode behind the path has no effect on the socket of an API')
  }
  return socket?.address
}
