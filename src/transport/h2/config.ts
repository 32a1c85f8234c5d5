/** `httpSettings`. */
import { z } from 'zod'
import { escapePath } from '../../protocol/http/path.ts'
import type { Context } from '../../schema/context.ts'
import { mapOf, object, stringList, text } from '../../schema/fields.ts'
import { transportForm } from '../../schema/kind.ts'
import { shorten } from '../../schema/report.ts'
import type { H2Config } from '../../settings/http2.ts'
import { keepAliveOf, seconds } from '../http2/config.ts'
import { cleanPath, forwardedFor, unsendable } from '../upgrade/config.ts'
import { readRequestHost } from '../upgrade/host-config.ts'

const schema = object(() => ({
  host: stringList(
    'Hosts: a client asks for one of them at random, a server takes no other. Default: www.example.com, as V2Ray has it; a server takes any.',
  ),
  path: text('What a client asks for; a server takes all that begins with it. Default: /.'),
  method: text('Method of a client; written out, also the only one that a server takes. Default: PUT.'),
  headers: mapOf(
    z.union([z.array(z.string()), z.string()]).describe('The value; of several the last.'),
    'Further headers of requests, and of the answers of a server.',
  ),
  read_idle_timeout: seconds(
    'Silence of the other side before it is asked whether it is there, 10 or more. Default: never.',
  ),
  health_check_timeout: seconds('How long its answer may take. Default: 20.'),
  parseXForwardedFor: forwardedFor(),
})).describe('Settings of the h2 transport.')
type Input = z.output<typeof schema>

/** What HTTP/2 has no place for, or what the transport says itself. */
const reserved = /^(:.*|connection|content-length|keep-alive|proxy-connection|te|transfer-encoding|upgrade)$/

export const h2Form = transportForm({
  name: 'h2',
  aliases: ['http'],
  description: 'HTTP/2, the body of a request and that of its answer',
  schema,
  settingsKeys: { httpSettings: undefined },
  readsRequests: true,
  build(input: Input | undefined = {}, { report }: Context): H2Config {
    const wrong = (key: keyof Input, what: string, hint = 'leave out line ends, blanks and what is not ASCII'): void =>
      report.error('CFG022', report.at(input, key), what, hint)
    const { host = [], path = '', method = '' } = input
    const named = Object.entries(input.headers ?? {}).map(
      ([name, value]) => [name.toLowerCase(), typeof value === 'string' ? value : (value.at(-1) ?? '')] as const,
    )
    const written = typeof host === 'string' ? host.split(',') : host
    const trimmed = written.map((name) => name.trim()).filter((name) => name !== '')
    const hosts = trimmed.map((name) => readRequestHost(name, () => report.at(input, 'host'), report))
    const target = path.startsWith('/') ? path : `/${path}`
    if (unsendable.test(target)) wrong('path', `the path ${JSON.stringify(shorten(target))} cannot be sent`, cleanPath)
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]*$/.test(method))
      wrong('method', `${JSON.stringify(shorten(method))} cannot be a method`)
    for (const [name, value] of named) {
      if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || reserved.test(name) || !/^[\t -~\u0080-\u00ff]*$/.test(value))
        wrong('headers', `${JSON.stringify(shorten(name))} cannot be sent as a header`)
    }
    const inHeaders = named.find(([name]) => name === 'host')?.[1]
    return {
      hosts:
        hosts.length === 0 && inHeaders
          ? [readRequestHost(inHeaders, () => report.at(input, 'headers'), report)]
          : hosts,
      path: escapePath(target),
      method: method || 'PUT',
      ...(method !== '' && { servedMethod: method }),
      headers: Object.fromEntries(named.filter(([name]) => name !== 'host')),
      forwarded: input.parseXForwardedFor ?? true,
      keepAlive: keepAliveOf(input.read_idle_timeout, input.health_check_timeout),
    }
  },
})
