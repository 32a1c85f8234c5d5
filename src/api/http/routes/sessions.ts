import { createRoute, z } from '@hono/zod-openapi'
import { guarded, json, withToken } from '../answers.ts'
import type { Api, RouteDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { nextJson, nextSchema, pageOfQuery } from '../paging.ts'
import { eventsQuery, sessionParam, sessionsQuery } from '../requests.ts'
import { endedSchema, sessionSchema } from '../schemas.ts'
import { sessionJson } from '../views.ts'

const common = { tags: ['sessions'], security: withToken }

const list = createRoute({
  ...common,
  operationId: 'listSessions',
  method: 'get',
  path: '/v1/sessions',
  summary: 'Sessions in progress, with their speed',
  request: { query: sessionsQuery },
  responses: {
    200: json(z.object({ sessions: z.array(sessionSchema), next: nextSchema }), 'One page, oldest first.'),
    ...guarded(400),
  },
})

const end = createRoute({
  ...common,
  operationId: 'endSession',
  method: 'delete',
  path: '/v1/sessions/{id}',
  summary: 'Ends one session',
  request: { params: sessionParam },
  responses: { 200: json(endedSchema, 'It was ended.'), ...guarded(400, 404) },
})

const events = createRoute({
  ...common,
  operationId: 'watchEvents',
  method: 'get',
  path: '/v1/events',
  summary: 'What happens, as server-sent events',
  description:
    '`session` for each session that is opened, routed, closed or has failed, and each client refused; `figures` every ' +
    'second: totals and speeds overall and by user; `lost` when this reader was too slow, with how many events it missed. ' +
    'The data of each is JSON.',
  security: [{ bearer: [] }, { queryToken: [] }],
  request: { query: eventsQuery },
  responses: {
    200: { content: { 'text/event-stream': { schema: z.string() } }, description: 'Without end.' },
    ...guarded(400, 503),
  },
})

export function addSessionRoutes(api: Api, { control, traffic, streams }: RouteDeps): void {
  api.openapi(list, async (c) => {
    const { email, inbound, ...page } = c.req.valid('query')
    const { after, limit } = pageOfQuery(page)
    const from = after === undefined ? undefined : idOf(after)
    const { items, next } = await control.sessionPage({ after: from, limit, email, inbound })
    const sessions = items.map((session) => sessionJson(session, traffic.speedOf(session)))
    return c.json({ sessions, ...nextJson(next) }, 200)
  })

  api.openapi(end, async (c) => {
    const { id } = c.req.valid('param')
    await control.endSession(Number(id))
    c.set('change', `session ${id} ended`)
    return c.json({ ended: 1 }, 200)
  })

  api.openapi(events, async (c) => {
    const headers = { 'content-type': 'text/event-stream', connection: 'close', 'x-accel-buffering': 'no' }
    // Nobody would read, or cancel, what a HEAD request opened.
    if (c.req.raw.method === 'HEAD') return c.body(null, 200, headers)
    const readable = await streams.open(c.req.valid('query').sessions === 'true')
    if (!readable) throw new ApiError(503, 'TOO_MANY_STREAMS', 'as many event streams are open as permitted')
    return c.body(readable, 200, headers)
  })
}

function idOf(cursor: string): number {
  const id = Number(cursor)
  if (Number.isSafeInteger(id)) return id
  throw new ApiError(400, 'CONTROL_INVALID', 'cursor: what an answer had as "next" is expected', { field: 'cursor' })
}
