import type { Env, Random } from '../../core/env.ts'
import type { DisguiseConfig, DrawnHeader } from '../../settings/disguise.ts'

/** Words of a configuration go out in UTF-8, as V2Ray sends them. */
const utf8 = new TextEncoder()

/** What a client begins with. */
export function requestHead({ request }: DisguiseConfig, random: Random): Uint8Array {
  const { method, paths, version, headers } = request
  return utf8.encode(`${method} ${draw(paths, random)} HTTP/${version}\r\n${lines(headers, random)}\r\n`)
}

/** What a server begins with. */
export function responseHead({ response }: DisguiseConfig, { random, clock }: Env): Uint8Array {
  const { version, status, reason, headers } = response
  const dated = headers.some(({ name }) => name.toLowerCase() === 'date')
  const date = dated ? '' : dateLine(clock.now())
  return utf8.encode(`HTTP/${version} ${status} ${reason}\r\n${lines(headers, random)}${date}\r\n`)
}

/** What a server says that has nothing else to say: V2Ray's words. */
export const refusalHead = (status: '400 Bad Request' | '404 Not Found', nowMs: number): Uint8Array =>
  utf8.encode(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nCache-Control: private\r\nContent-Length: 0\r\n${dateLine(nowMs)}\r\n`,
  )

const dateLine = (nowMs: number): string => `Date: ${new Date(nowMs).toUTCString()}\r\n`

const lines = (headers: readonly DrawnHeader[], random: Random): string =>
  headers.map(({ name, values }) => `${name}: ${draw(values, random)}\r\n`).join('')

const draw = (values: readonly string[], random: Random): string => values[random.below(values.length)]!
