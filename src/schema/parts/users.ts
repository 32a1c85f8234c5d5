/** VMess users and their rules, the same on both ends. */
import { emailFault } from '../../core/email.ts'
import { redactId } from '../../core/env.ts'
import { formatUuid } from '../../protocol/vmess/users/identity.ts'
import type { Experiments, SecurityName, VmessUser } from '../../settings/model.ts'
import type { Context } from '../context.ts'
import { oneOf } from '../expected.ts'
import { type Place, shorten } from '../report.ts'
import { didYouMean, didYouMeanAlike } from '../suggest.ts'
import { plainId, readId } from './id.ts'

/** Fields of a user as decoded; all were optional in the text. */
export interface UserFields {
  readonly id?: string | undefined
  readonly uuid?: string | undefined
  readonly alterId?: number | undefined
  readonly level?: number | undefined
  readonly email?: string | undefined
  readonly security?: string | undefined
  readonly experiments?: string | undefined
}

export const securities = ['auto', 'aes-128-gcm', 'chacha20-poly1305', 'none', 'zero', 'aes-128-cfb'] as const

/** Ids beyond this many are of no use and cost start-up time. */
const ampleAlterIds = 100

/** A user, or undefined after an error. `owner` is the object that holds the fields. */
export function readUser(fields: UserFields, owner: object, context: Context): VmessUser | undefined {
  const { report } = context
  const key = fields.id === undefined && !report.wrote(owner, 'id') ? 'uuid' : 'id'
  const text = fields[key]
  if (text === undefined) {
    if (!report.wrote(owner, key)) {
      report.error('CFG050', report.at(owner, 'id'), 'this user has no id', 'make one with `vmess uuid`')
    }
    return undefined
  }
  const id = plainId(text) ?? readId(text, report.at(owner, key), context)
  const alterId = fields.alterId ?? 0
  if (alterId > ampleAlterIds) {
    const cost = 'every one costs start-up time and memory'
    report.warn(
      'CFG056',
      report.at(owner, 'alterId'),
      `alterId ${alterId}: ${cost}; ${ampleAlterIds} are ample`,
      'write 0',
    )
  }
  const { email = '', level = 0 } = fields
  const fault = emailFault(email)
  if (fault) report.error('CFG072', report.at(owner, 'email'), fault, 'write a name or an address')
  const experiments = fields.experiments ? readExperiments(fields.experiments, owner, context) : none
  return id && { id, alterId, level, email, experiments }
}

/** What nearly every user has, once. */
const none: Experiments = { authenticatedLength: false, noTerminationSignal: false }

const experimentNames = ['AuthenticatedLength', 'NoTerminationSignal'] as const

function readExperiments(text: string, owner: object, { report }: Context): Experiments {
  const names = text.split(/[|,\s]+/).filter((name) => name !== '')
  for (const name of names) {
    if ((experimentNames as readonly string[]).includes(name)) continue
    const message = `unknown experiment ${JSON.stringify(shorten(name))}; expected ${oneOf(experimentNames)}`
    report.warn('CFG061', report.at(owner, 'experiments'), message, didYouMean(name, experimentNames))
  }
  return {
    authenticatedLength: names.includes('AuthenticatedLength'),
    noTerminationSignal: names.includes('NoTerminationSignal'),
  }
}

/** A client's encryption; unknown words mean auto, as everywhere. `secure` says that TLS is below. */
export function readSecurity(
  text: string | undefined,
  place: Place,
  secure: boolean,
  { report }: Context,
): SecurityName {
  const word = (text ?? '').trim().toLowerCase()
  if (word === '') return 'auto'
  const name = securities.find((candidate) => candidate === word)
  if (!name) {
    const message = `unknown encryption ${JSON.stringify(shorten(text!))}: "auto" is used; expected ${oneOf(securities)}`
    report.warn('CFG058', place, message, didYouMeanAlike(word, securities))
    return 'auto'
  }
  if (name === 'aes-128-cfb') {
    const message = '"aes-128-cfb" is the legacy encryption: it detects changed bytes only by a weak checksum'
    report.warn('CFG060', place, message, 'write "auto"')
  }
  if ((name === 'none' || name === 'zero') && !secure) {
    const message = `"${name}" does not encrypt the payload, and there is no TLS around it: everybody on the way can read it`
    report.warn('CFG059', place, message, 'write "auto", or set streamSettings.security to "tls"')
  }
  return name
}

/** A user as written and, unless something was wrong with it, as read. */
export interface WrittenUser {
  readonly owner: object
  readonly email: string
  readonly user?: VmessUser | undefined
}

/** Says what users of one inbound must not share. Later users win. */
export function checkUnique(users: readonly WrittenUser[], { report }: Context): void {
  const emails = new Map<string, object>()
  const ids = new Map<string, object>()
  for (const { user, owner, email } of users) {
    const key = email.toLowerCase()
    const namesake = emails.get(key)
    if (namesake) {
      const first = report.at(namesake, 'email').path.replace(/\.email$/, '')
      const message = `the e-mail "${shorten(email)}" already belongs to ${first}`
      const hint = 'every user of an inbound needs an e-mail of its own, or none'
      report.error('CFG055', report.at(owner, 'email'), message, hint)
    } else if (email !== '') emails.set(key, owner)
    if (!user) continue
    const id = String.fromCharCode(...user.id)
    const holder = ids.get(id)
    if (holder) {
      const first = report.at(holder, 'id').path.replace(/\.id$/, '')
      const message = `the id "${redactId(formatUuid(user.id))}" is also that of ${first}; this later user wins`
      report.warn('CFG054', report.at(owner, 'id'), message, 'traffic of both is booked to the later one')
    } else ids.set(id, owner)
  }
}
