import type { Control, InboundView } from '../../control/control.ts'
import { emailFault } from '../../core/email.ts'
import { lookUp } from '../../core/lookup.ts'
import type { Fields, Typed } from '../../messages/fields.ts'
import { invalid, StatusError, unavailable } from '../../messages/status.ts'
import { userJson } from '../../messages/vmess-user.ts'

/**
 * AlterInbound: adds a user to an inbound or removes one, and returns what was done, in words for the log. Panels tell
 * failures apart by these very words.
 */
export async function alterUsers(control: Control, inbound: InboundView, operation: Typed): Promise<string> {
  const apply = lookUp(operations, operation.name)
  if (!apply) throw unavailable(`"${operation.type}" on an inbound`)
  if (inbound.protocol !== 'vmess') {
    throw invalid(`the inbound "${inbound.tag}" is ${inbound.protocol}, which has no users that could be changed`)
  }
  return apply(control, inbound.tag, operation.fields)
}

type Operation = (control: Control, tag: string, fields: Fields) => Promise<string>

const operations: Readonly<Record<string, Operation>> = {
  'app.proxyman.command.AddUserOperation': async (control, tag, fields) => {
    const user = fields.message('user')
    if (!user) throw invalid('the AddUserOperation has no user')
    const { id, email, level, alterId, experiments } = userJson(user)
    fields.end()
    const fault = emailFault(email)
    if (fault !== undefined) throw invalid(fault)
    if (experiments !== '') throw unavailable(`tests_enabled ${JSON.stringify(experiments)} for a user that is added`)
    if (await has(control, tag, email)) throw new StatusError('ALREADY_EXISTS', `User ${email} already exists.`)
    await control.addUser(tag, { id, email, level, alterId })
    return `user ${JSON.stringify(email)} added to the inbound ${JSON.stringify(tag)}`
  },

  'app.proxyman.command.RemoveUserOperation': async (control, tag, fields) => {
    const email = fields.text('email')
    if (email === '') throw invalid('Email must not be empty.')
    if (!(await has(control, tag, email))) throw new StatusError('NOT_FOUND', `User ${email} not found.`)
    const ended = await control.removeUser(email, tag)
    return `user ${JSON.stringify(email)} removed from the inbound ${JSON.stringify(tag)}; sessions ended: ${ended}`
  },
}

const has = async (control: Control, tag: string, email: string): Promise<boolean> =>
  email !== '' && (await control.user(email))?.inbounds.some((inbound) => inbound.tag === tag) === true
