/** `fallback`: what whoever is not for the proxy meets on the port of a server. */
import { z } from 'zod'
import type { Context } from '../../schema/context.ts'
import { noted, object, refused, text } from '../../schema/fields.ts'
import { type Place, shorten } from '../../schema/report.ts'
import { readHost, resolveEnv } from '../../schema/values.ts'
import type { FallbackConfig } from '../../settings/stream.ts'
import { readUnix } from './listen.ts'

const destination = (description: string) =>
  noted(z.union([z.int().min(1).max(65535), z.string()]).describe(description), {
    expected: 'a port of this machine (8080), "host:port", or the absolute path of a unix socket',
  })

const unheard = 'the PROXY protocol is not available here in this version, and the server would wait for it'

const where = object(() => ({
  dest: destination('Another server, which gets such connections whole: a port, host:port, or a unix socket.'),
  root: text('A folder of files instead, served as nginx would.'),
  xver: refused(z.int().min(0).max(2).describe('Version of the PROXY protocol for the server; 0: none.'), unheard, {
    code: 'CFG033',
    unless: [0],
  }),
}))

export const fallbackSchema = noted(
  z
    .union([z.int().min(1).max(65535), z.string(), where])
    .describe(
      'Our own, of a server: what answers requests that are not for the proxy. Default: a web server without pages.',
    ),
  { expected: 'a port, "host:port", the path of a unix socket, or an object with "dest" or "root"' },
)

type Input = z.output<typeof fallbackSchema>

/** Undefined where nothing is asked for, and after an error. */
export function readFallback(input: Input | undefined, place: Place, context: Context): FallbackConfig | undefined {
  if (input === undefined) return undefined
  if (typeof input !== 'object') return readServer(input, place, context)
  const { dest, root } = input
  const { report } = context
  if (dest !== undefined && root !== undefined) {
    report.error('CFG022', report.at(input, 'root'), 'there are "dest" and "root"', 'leave out one of them')
    return undefined
  }
  if (root !== undefined) return readRoot(root, report.at(input, 'root'), context)
  if (dest !== undefined) return readServer(dest, report.at(input, 'dest'), context)
  if (!report.wrote(input, 'dest') && !report.wrote(input, 'root')) {
    report.error(
      'CFG024',
      place,
      'there is neither "dest" nor "root"',
      'write "dest": 8080, or "root": "/var/www/html"',
    )
  }
  return undefined
}

/** Of this system or of Windows. */
const absolute = /^(?:\/|[a-z]:[\\/])/i

function readRoot(written: string, place: Place, context: Context): FallbackConfig | undefined {
  const root = resolveEnv(written, place, context)
  if (root === undefined || absolute.test(root)) return root === undefined ? undefined : { root }
  const message = `found ${JSON.stringify(shorten(root))}, expected the absolute path of a folder`
  context.report.error('CFG022', place, message, 'write it from the root, such as "/var/www/html"')
  return undefined
}

function readServer(written: number | string, place: Place, context: Context): FallbackConfig | undefined {
  if (typeof written === 'number') return { to: { host: '127.0.0.1', port: written } }
  const value = resolveEnv(written.trim(), place, context)?.trim()
  if (value === undefined) return undefined
  const path = /^(?:unix:)?([/@].*)$/s.exec(value)?.[1]
  if (path !== undefined) {
    const [socket] = readUnix(path, place, context) ?? []
    return socket && { to: socket.address }
  }
  const [, name = '', port = ''] = /^(?:(\[[^\]]*\]|[^:]*):)?(\d{1,5})$/s.exec(value) ?? []
  if (port === '' || Number(port) < 1 || Number(port) > 65535) {
    const expected = 'expected a port (8080), "host:port", or the absolute path of a unix socket'
    context.report.error('CFG028', place, `found ${JSON.stringify(shorten(value))}, ${expected}`)
    return undefined
  }
  const host = name === '' ? '127.0.0.1' : readHost(name, place, context)
  return host === undefined ? undefined : { to: { host, port: Number(port) } }
}
