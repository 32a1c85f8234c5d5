import { createRoute, z } from '@hono/zod-openapi'
import { body, guarded, json, withToken } from '../answers.ts'
import type { Api, RouteDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { nextJson, nextSchema, pageOfQuery } from '../paging.ts'
import { emailParam, inboundQuery, newUser, pageQuery, userChange } from '../requests.ts'
import { createdUserSchema, endedSchema, userSchema } from '../schemas.ts'
import { userJson } from '../views.ts'

const common = { tags: ['users'], security: withToken }

const list = createRoute({
  ...common,
  operationId: 'listUsers',
  method: 'get',
  path: '/v1/users',
  summary: 'Every user of every inbound',
  description:
    'Those with an e-mail once, by their e-mails in lower case; then those without, once for each inbound. In pages: ' +
    'as long as an answer has `next`, there are more.',
  request: { query: pageQuery },
  responses: {
    200: json(z.object({ users: z.array(userSchema), next: nextSchema }), 'One page of them.'),
    ...guarded(400),
  },
})

const get = createRoute({
  ...common,
  operationId: 'getUser',
  method: 'get',
  path: '/v1/users/{email}',
  summary: 'One user',
  request: { params: emailParam },
  responses: { 200: json(userSchema, 'The user.'), ...guarded(404) },
})

const add = createRoute({
  ...common,
  operationId: 'addUser',
  method: 'post',
  path: '/v1/users',
  summary: 'Adds a user, who is served from now on',
  description: 'Lives until a restart or a reload of a configuration that does not know the user.',
  request: { body: body(newUser) },
  responses: {
    201: json(createdUserSchema, 'The user, with the id in full: the only time that it is told.'),
    ...guarded(400, 404, 409, 413, 415),
  },
})

const change = createRoute({
  ...common,
  operationId: 'changeUser',
  method: 'patch',
  path: '/v1/users/{email}',
  summary: 'Changes limits or level',
  description: 'Limits hold at once, for connections in progress too. What is left out stays as it is.',
  request: { params: emailParam, body: body(userChange) },
  responses: { 200: json(userSchema, 'The user as it is now.'), ...guarded(400, 404, 413, 415) },
})

const remove = createRoute({
  ...common,
  operationId: 'removeUser',
  method: 'delete',
  path: '/v1/users/{email}',
  summary: 'Removes a user and ends its sessions',
  request: { params: emailParam, query: inboundQuery },
  responses: { 200: json(endedSchema, 'How many sessions were ended.'), ...guarded(400, 404) },
})

const reset = createRoute({
  ...common,
  operationId: 'resetUsage',
  method: 'post',
  path: '/v1/users/{email}/reset-usage',
  summary: 'Sets what counts against the quota to zero',
  request: { params: emailParam },
  responses: { 200: json(userSchema, 'The user as it is now.'), ...guarded(404) },
})

const endSessions = createRoute({
  ...common,
  operationId: 'endSessionsOfUser',
  method: 'delete',
  path: '/v1/users/{email}/sessions',
  summary: 'Ends the sessions of a user, who may connect again',
  request: { params: emailParam },
  responses: { 200: json(endedSchema, 'How many were ended.'), ...guarded(404) },
})

export function addUserRoutes(api: Api, { control }: RouteDeps): void {
  api.openapi(list, async (c) => {
    const { items, next } = await control.userPage(pageOfQuery(c.req.valid('query')))
    return c.json({ users: items.map(userJson), ...nextJson(next) }, 200)
  })

  api.openapi(get, async (c) => {
    const { email } = c.req.valid('param')
    const user = await control.user(email)
    if (!user) throw new ApiError(404, 'CONTROL_NOT_FOUND', `there is no user ${JSON.stringify(email)}`)
    return c.json(userJson(user), 200)
  })

  api.openapi(add, async (c) => {
    const { inbound, ...asked } = c.req.valid('json')
    const { user, id } = await control.addUser(inbound, asked)
    c.set('change', `user ${quoted(user.email)} added to the inbound ${quoted(inbound)}`)
    return c.json({ ...userJson(user), id }, 201)
  })

  api.openapi(change, async (c) => {
    const { email } = c.req.valid('param')
    const asked = c.req.valid('json')
    const user = await control.changeUser(email, asked)
    const changed = [...(asked.level === undefined ? [] : ['level']), ...Object.keys(asked.limits ?? {})]
    if (changed.length > 0) c.set('change', `user ${quoted(user.email)} changed (${changed.join(', ')})`)
    return c.json(userJson(user), 200)
  })

  api.openapi(remove, async (c) => {
    const { email } = c.req.valid('param')
    const { inbound } = c.req.valid('query')
    const ended = await control.removeUser(email, inbound)
    const where = inbound === undefined ? '' : ` from the inbound ${quoted(inbound)}`
    c.set('change', `user ${quoted(email)} removed${where}; sessions ended: ${ended}`)
    return c.json({ ended }, 200)
  })

  api.openapi(reset, async (c) => {
    const user = await control.resetUsage(c.req.valid('param').email)
    c.set('change', `usage of user ${quoted(user.email)} set to zero`)
    return c.json(userJson(user), 200)
  })

  api.openapi(endSessions, async (c) => {
    const { email } = c.req.valid('param')
    const ended = await control.endSessions(email)
    c.set('change', `sessions of user ${quoted(email)} ended: ${ended}`)
    return c.json({ ended }, 200)
  })
}

const quoted = (name: string): string => JSON.stringify(name)
