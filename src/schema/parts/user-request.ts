/**
 * A user who is added or changed while the instance runs. Whichever way it is asked for (library, HTTP, gRPC), the words and
 * units are those of the file, and there is no other reader.
 */
import type { z } from 'zod'
import { ProxyError } from '../../core/errors.ts'
import { type UserLimits, unlimited } from '../../core/user-limits.ts'
import { type Context, createContext } from '../context.ts'
import { decode } from '../decode.ts'
import { noted, object } from '../fields.ts'
import type { Problem } from '../problem.ts'
import { Report } from '../report.ts'
import { fromValue, type Source } from '../tree.ts'
import { accountFields } from './account.ts'
import { limitsSchema, readGivenLimits } from './user-limits.ts'

const newUserFields = object(() => {
  const { id, email, level, alterId } = accountFields()
  return { id, email, level, alterId, limits: limitsSchema }
})
const newUserSchema = noted(newUserFields, { own: true })
const userChangeSchema = noted(
  object(() => ({ level: accountFields().level, limits: limitsSchema })),
  { own: true },
)

export interface UserRequest {
  /** As it was written. */
  readonly id?: string | undefined
  readonly email?: string | undefined
  readonly level?: number | undefined
  readonly alterId?: number | undefined
  /** Those that are named. */
  readonly limits?: Partial<UserLimits>
  /** What there is to say about it. */
  readonly warnings: readonly Problem[]
}

/** @param now milliseconds since the epoch @throws ProxyError CONTROL_INVALID that names the field */
export function readNewUser(value: unknown, now: number): UserRequest & { readonly email: string } {
  const { email, ...rest } = read(newUserSchema, value, now)
  if (email === undefined) throw new ProxyError('CONTROL_INVALID', 'email: is missing', { field: 'email' })
  return { ...rest, email }
}

/** @param now milliseconds since the epoch @throws ProxyError CONTROL_INVALID that names the field */
export const readUserChange = (value: unknown, now: number): UserRequest => read(userChangeSchema, value, now)

type Decoded = Omit<UserRequest, 'limits' | 'warnings'> & {
  readonly limits?: z.output<typeof limitsSchema> | undefined
}

function read(schema: z.ZodType<Decoded>, value: unknown, now: number): UserRequest {
  const report = new Report()
  const context = createContext(report, {}, now)
  const decoded = decode(schema, fromValue(value, nowhere), '', report)
  const { limits: written, ...rest } = decoded ?? {}
  const limits = written && { ...readGivenLimits(written, context), ...lifted(value as object, context, written) }
  const problems = report.problems(false)
  const [error] = problems
  if (error?.severity === 'error') wrong([error.path, error.message, error.hint])
  return { ...rest, ...(limits && { limits }), warnings: problems.filter(({ severity }) => severity === 'warning') }
}

const nowhere: Source = { name: '', order: 0, text: '' }

function wrong([field, message, hint]: [field: string, message: string, hint?: string | undefined]): never {
  throw new ProxyError('CONTROL_INVALID', field === '' ? message : `${field}: ${message}`, {
    hint,
    ...(field !== '' && { field }),
  })
}

/** In a file null is as good as nothing; in a request it takes away the limit that holds. Which of them it can take away: */
const liftable: { readonly [name: string]: keyof UserLimits } = {
  uplink: 'uplink',
  downlink: 'downlink',
  connections: 'connections',
  addresses: 'addresses',
  quota: 'quota',
  expires: 'expiresAt',
  expiresAfter: 'expiresAfterMs',
}

function lifted(request: object, { report }: Context, written: object): Partial<UserLimits> {
  const names = Object.keys(limitsSchema.shape)
  const limits = (request as { readonly limits?: object }).limits ?? {}
  const gone: { -readonly [K in keyof UserLimits]?: UserLimits[K] } = {}
  for (const [key, value] of Object.entries(limits)) {
    if (value !== null) continue
    const name = names.find((known) => known.toLowerCase() === key.toLowerCase()) ?? key
    const limit = liftable[name]
    if (limit) Object.assign(gone, { [limit]: unlimited[limit] })
    else report.error('CFG022', report.at(written, key), 'found null, expected a value')
  }
  return gone
}
