/** Where an inbound listens: `listen` and `port`. */
import { formatHost, parseHost } from '../../core/address.ts'
import type { Context } from '../../schema/context.ts'
import { type Place, shorten } from '../../schema/report.ts'
import { portCount, readPorts } from '../../schema/values.ts'
import type { ListenConfig } from '../../settings/model.ts'

/** Room for a unix socket's path in the address structure of Linux, and with the final zero byte. */
const unixPathMax = 108

/** Every spelling of "all addresses" listens on both families. */
export const allAddresses = '::'

interface ListenInput {
  readonly listen?: string | undefined
  readonly port?: number | string | undefined
}

/** One entry per port, or one unix socket. Undefined after an error. */
export function readListen(
  input: ListenInput & object,
  defaultPort: { value: number | string; place: Place } | undefined,
  context: Context,
): readonly ListenConfig[] | undefined {
  const { report } = context
  if (input.listen !== undefined && /^[/@]/.test(input.listen.trim())) {
    if (input.port) report.warn('CFG030', report.at(input, 'port'), '"port" has no effect: "listen" is a unix socket')
    return readUnix(input.listen.trim(), report.at(input, 'listen'), context)
  }
  const host =
    input.listen === undefined ? allAddresses : readListenHost(input.listen, report.at(input, 'listen'), context)
  const written = input.port ?? (report.wrote(input, 'port') ? undefined : defaultPort?.value)
  if (written === undefined) {
    if (!report.wrote(input, 'port')) {
      report.error(
        'CFG081',
        report.at(input, 'port'),
        'this inbound has no port',
        'write "port": 1080 or a range "1000-2000"',
      )
    }
    return undefined
  }
  const place = input.port === undefined && defaultPort ? defaultPort.place : report.at(input, 'port')
  const ranges = readPorts(written, place, context)
  if (!ranges || host === undefined) return undefined
  if (portCount(ranges) > 65536) {
    report.error('CFG029', place, 'these ranges overlap: they hold more than 65536 ports')
    return undefined
  }
  const ports = new Set(ranges.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i)))
  return [...ports].map((port) => ({ address: { host, port } }))
}

function readListenHost(written: string, place: Place, { report }: Context): string | undefined {
  const text = written.trim()
  if (text.toLowerCase() === 'localhost') return '127.0.0.1'
  const host = parseHost(text)
  if (host.kind !== 'domain') {
    const shown = formatHost(host)
    return shown === '0.0.0.0' ? allAddresses : shown
  }
  const found = text === '' ? 'the address to listen on is empty' : `found ${JSON.stringify(shorten(text))}`
  const hint = text === '' ? 'leave "listen" out to listen on all addresses' : listenHint(text)
  report.error(
    'CFG028',
    place,
    `${found}; expected an IP address, "localhost", or the absolute path of a unix socket`,
    hint,
  )
  return undefined
}

function listenHint(text: string): string | undefined {
  if (/^(?:[\d.]+|\[.*\]):\d+$/.test(text)) return 'write the port in "port"'
  if (/^\.{0,2}\/|\.sock$/.test(text)) return 'paths must begin with /'
  if (text === '*') return 'leave "listen" out to listen on all addresses'
  return 'names are not looked up here: write the IP address'
}

/** `/path`, `/path,0666`, `@abstract`, `@@padded`. */
export function readUnix(text: string, place: Place, { report }: Context): readonly ListenConfig[] | undefined {
  const match = /^(.*?)(?:,(.*))?$/s.exec(text)!
  const [, written = '', mode] = match
  if (mode !== undefined && !/^[0-7]{3,4}$/.test(mode)) {
    report.error(
      'CFG028',
      place,
      `found the mode ${JSON.stringify(shorten(mode))}, expected octal digits such as ",0666"`,
    )
    return undefined
  }
  const padded = written.startsWith('@@')
  const path = written.startsWith('@') ? `\0${written.slice(padded ? 2 : 1)}` : written
  const length = new TextEncoder().encode(path).length
  const room = path.startsWith('\0') ? unixPathMax : unixPathMax - 1
  if (length > room || length < 2) {
    report.error('CFG028', place, `the path of this unix socket has ${length} bytes; expected 2 to ${room}`)
    return undefined
  }
  const address = { host: '', port: 0, path: padded ? path + '\0'.repeat(unixPathMax - length) : path }
  if (mode !== undefined && path.startsWith('\0')) {
    // There is no file whose mode could be changed.
    const message = `the mode ${mode} has no effect: a socket with an abstract name is no file`
    report.warn('CFG030', place, message, `write ${JSON.stringify(written)}`)
    return [{ address }]
  }
  return [{ address, ...(mode !== undefined && { mode: Number.parseInt(mode, 8) }) }]
}
