import { createRoute } from '@hono/zod-openapi'
import { guarded, json, withToken } from '../answers.ts'
import type { Api, RouteDeps } from '../deps.ts'
import { errorSchema, reloadSchema } from '../schemas.ts'
import { reloadJson } from '../views.ts'

const reload = createRoute({
  operationId: 'reload',
  method: 'post',
  path: '/v1/reload',
  tags: ['configuration'],
  summary: 'Reads the configuration again',
  description: 'Connections in progress live on, but for those of users and inbounds that are gone.',
  security: withToken,
  responses: {
    200: json(reloadSchema, 'What has changed.'),
    ...guarded(),
    422: json(errorSchema, 'The configuration was refused; nothing has changed.'),
  },
})

export function addReloadRoute(api: Api, { control }: RouteDeps): void {
  api.openapi(reload, async (c) => {
    const outcome = await control.reload()
    if (!('problems' in outcome)) return c.json(reloadJson(outcome), 200)
    const message = 'the configuration was refused; nothing has changed'
    return c.json({ error: { code: 'CONFIG_INVALID', message, problems: [...outcome.problems] } }, 422)
  })
}
