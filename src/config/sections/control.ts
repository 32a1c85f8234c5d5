/** `control` and `accounting`: root keys of our own, which V2Ray and Xray pass over. */
import { z } from 'zod'
import { type Address, isLoopback } from '../../core/address.ts'
import { redactId } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import type { Context } from '../../schema/context.ts'
import { integer, noted, object, text } from '../../schema/fields.ts'
import { resolveEnv } from '../../schema/values.ts'
import type { AccountingConfig, ControlConfig } from '../../settings/model.ts'
import { readEndpoint } from './endpoint.ts'

const defaultPort = 9010
const defaultFlushS = 5

const listenField = z
  .union([noted(integer(0, 65535, 'A port of 127.0.0.1.'), { secret: 'near' }), z.string()])
  .describe(`Address and port, a port of 127.0.0.1, or path of a unix socket. Default: 127.0.0.1:${defaultPort}.`)
  .meta({ examples: [`127.0.0.1:${defaultPort}`] })

const controlFields = object(() => ({
  listen: noted(listenField, { secret: 'near', expected: 'a port (9010), or an address and a port in double quotes' }),
  token: noted(text(`What callers must show: ${limits.controlTokenMin} characters or more, or env:NAME. Required.`), {
    secret: 'password',
    expected: 'a token in double quotes',
  }),
})).describe('Remote control by HTTP. V2Ray and Xray pass over it.')

/** In place of the object there may be the token. */
export const controlSchema = noted(controlFields, {
  secret: 'password',
  hint: 'write "control": { "token": "…" }',
  own: true,
  required: ['token'],
})

/** The control API, and where it would listen even if its token is no good; neither after an error. */
export function buildControl(
  input: z.output<typeof controlSchema> | undefined,
  context: Context,
): { readonly control?: ControlConfig; readonly listen?: Address } {
  if (!input) return {}
  const { report } = context
  const token = readToken(input, context)
  const place = report.at(input, 'listen')
  const written = input.listen ?? defaultPort
  const local = typeof written === 'number' || /^\d{1,5}$/.test(written)
  const listen = readEndpoint(local ? `127.0.0.1:${written}` : written, place, context, redactId)
  if (listen && !isLoopback(listen)) {
    const message = 'this is plain HTTP, and other machines can reach it: the token can be read on the way'
    report.warn('CFG140', place, message, `listen on 127.0.0.1:${listen.port}, behind a server that speaks TLS`)
  }
  return { ...(listen && { listen }), ...(listen && token !== undefined && { control: { listen, token } }) }
}

const tokenHint = 'make one with `vmess uuid`'

/** Messages never hold it. */
function readToken(input: z.output<typeof controlSchema>, context: Context): string | undefined {
  const { report } = context
  const place = report.at(input, 'token')
  if (input.token === undefined) {
    if (!report.wrote(input, 'token')) report.error('CFG024', place, '"control" has no "token"', tokenHint)
    return undefined
  }
  const token = resolveEnv(input.token, place, context)
  if (token === undefined) return undefined
  const expected = `expected ${limits.controlTokenMin} or more`
  const fault =
    token.length < limits.controlTokenMin
      ? `the token has ${token.length} characters, ${expected}: it would be guessed`
      : /^[!-~]+$/.test(token)
        ? undefined
        : 'the token has characters that no HTTP header can carry; expected ASCII without blanks'
  if (fault) report.error('CFG142', place, fault, tokenHint)
  return fault ? undefined : token
}

const storePath = text('Path of the file.')

const storeFields = object(() => ({
  path: storePath,
  flush: integer(1, 10, `Seconds between two writes. Default: ${defaultFlushS}.`),
})).describe('The file, and how often it is written.')
const storeSchema = noted(storeFields, { own: true, required: ['path'] })

const accountingHint = 'write "accounting": "usage.db"'

export const accountingSchema = noted(
  z
    .union([z.string(), storeSchema, z.literal(false)])
    .describe('File that keeps used traffic over restarts, or false. V2Ray and Xray pass over it.')
    .meta({ examples: ['usage.db'] }),
  { expected: 'a path in double quotes, { "path", "flush" }, or false', hint: accountingHint },
)

export function buildAccounting(
  root: { readonly accounting?: z.output<typeof accountingSchema> | undefined } & object,
  { report }: Context,
): AccountingConfig | undefined {
  const { accounting } = root
  if (accounting === undefined || accounting === false) return undefined
  const { path, flush = defaultFlushS } = typeof accounting === 'string' ? { path: accounting } : accounting
  if (path) return { path, flushS: flush }
  const inside = typeof accounting === 'object'
  if (path === '' || (inside && !report.wrote(accounting, 'path'))) {
    const place = inside ? report.at(accounting, 'path') : report.at(root, 'accounting')
    report.error('CFG024', place, '"accounting" has no path', inside ? 'write "path": "usage.db"' : accountingHint)
  }
  return undefined
}
