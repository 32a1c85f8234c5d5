import type { Control, InboundView } from '../../control/control.ts'
import { mapInSlices } from '../../core/time/slices.ts'
import type { Fields } from '../../messages/fields.ts'
import { invalid, StatusError, unavailable } from '../../messages/status.ts'
import { inboundJson } from './convert/inbound.ts'
import { outboundJson } from './convert/outbound.ts'
import { inboundsList, outboundsList, userMessage } from './lists.ts'
import type { Methods, ServiceDeps } from './service.ts'
import { alterUsers } from './user-operations.ts'

export function handlerService({ control, types, kinds, log, clock }: ServiceDeps): Methods {
  // Calls show no address; only programs on this machine should be able to make any.
  const tell = (change: string): void => log.warn({}, `gRPC API: ${change}`)
  return {
    AddInbound: async (request) => {
      const json = inboundJson(messageOf(request, 'inbound'), kinds)
      mustBeFree(json.tag, await control.inbounds())
      await control.addInbound(json)
      tell(`inbound ${JSON.stringify(json.tag)} added`)
      return {}
    },

    RemoveInbound: async (request) => {
      const { tag } = await inboundOf(control, request.text('tag'))
      await control.removeInbound(tag)
      tell(`inbound ${JSON.stringify(tag)} removed`)
      return {}
    },

    AlterInbound: async (request) => {
      const operation = request.mustHaveTyped('operation')
      tell(await alterUsers(control, await inboundOf(control, request.text('tag')), operation))
      return {}
    },

    ListInbounds: async (request) => ({
      inbounds: await inboundsList({ control, types, clock }, request.flag('isOnlyTags')),
    }),

    GetInboundUsers: async (request) => {
      const { tag } = await vmessInboundOf(control, request.text('tag'))
      const email = request.text('email')
      const found = email === '' ? await control.users() : [await control.user(email)]
      const users = (await mapInSlices(clock, found, (user) => (user ? userMessage(user, tag, types) : []))).flat()
      if (email !== '' && users.length === 0) throw new StatusError('NOT_FOUND', `User ${email} not found.`)
      return { users }
    },

    GetInboundUsersCount: async (request) => ({ count: (await vmessInboundOf(control, request.text('tag'))).users }),

    AddOutbound: async (request) => {
      const json = outboundJson(messageOf(request, 'outbound'), kinds)
      mustBeFree(json.tag, await control.outbounds())
      await control.addOutbound(json)
      tell(`outbound ${JSON.stringify(json.tag)} added`)
      return {}
    },

    RemoveOutbound: async (request) => {
      const tag = request.text('tag')
      if (!(await control.outbounds()).some((outbound) => outbound.tag === tag)) throw noHandler(tag)
      await control.removeOutbound(tag)
      tell(`outbound ${JSON.stringify(tag)} removed`)
      return {}
    },

    AlterOutbound: (request) => {
      throw unavailable(`"${request.mustHaveTyped('operation').type}" on an outbound`)
    },

    ListOutbounds: async () => ({ outbounds: await outboundsList(control, types) }),
  }
}

function messageOf(request: Fields, name: string): Fields {
  const message = request.message(name)
  if (!message) throw invalid(`the request has no ${name}`)
  return message
}

// Panels tell failures apart by words such as these.
const noHandler = (tag: string): StatusError => new StatusError('NOT_FOUND', `handler not found: ${tag}`)

function mustBeFree(tag: string, taken: readonly { readonly tag: string }[]): void {
  if (tag !== '' && taken.some((other) => other.tag === tag)) {
    throw new StatusError('ALREADY_EXISTS', `existing tag found: ${tag} already exists`)
  }
}

async function inboundOf(control: Control, tag: string): Promise<InboundView> {
  const inbound = tag === '' ? undefined : (await control.inbounds()).find((candidate) => candidate.tag === tag)
  if (!inbound) throw noHandler(tag)
  return inbound
}

async function vmessInboundOf(control: Control, tag: string): Promise<InboundView> {
  const inbound = await inboundOf(control, tag)
  if (inbound.protocol !== 'vmess') throw invalid(`the inbound "${tag}" is ${inbound.protocol}, which has no users`)
  return inbound
}
