import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Api, ApiEnv, RouteDeps } from './deps.ts'
import { openApiDocument } from './document.ts'
import { ApiError, errorAnswer } from './errors.ts'
import { guard } from './middleware.ts'
import { notJson, requestError } from './request-error.ts'
import { addReloadRoute } from './routes/reload.ts'
import { addSessionRoutes } from './routes/sessions.ts'
import { addStateRoutes } from './routes/state.ts'
import { addUserRoutes } from './routes/users.ts'

/** Every route, behind the guard. `listenHost` is the host that it listens on, once it does; undefined for a unix socket. */
export function createApp(deps: RouteDeps, listenHost: () => string | undefined): Api {
  const api: Api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw requestError(result.error)
    },
  })
  guard(api, deps, listenHost)
  addStateRoutes(api, deps)
  addUserRoutes(api, deps)
  addSessionRoutes(api, deps)
  addReloadRoute(api, deps)
  api.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'The `token` of the configuration’s `control`.',
  })
  api.openAPIRegistry.registerComponent('securitySchemes', 'queryToken', {
    type: 'apiKey',
    in: 'query',
    name: 'token',
    description: 'The same token, for browsers’ EventSource; on /v1/events only.',
  })
  let document: object | undefined
  api.get('/openapi.json', (c) => {
    document ??= openApiDocument(api)
    return c.json(document)
  })
  const methodsOf = pathMethods(api)
  api.notFound((c) => {
    const { method, path } = c.req
    const allowed = methodsOf(path)
    if (allowed.length === 0) return fail(c, new ApiError(404, 'ROUTE_UNKNOWN', `there is no ${method} ${path}`))
    c.header('allow', allowed.join(', '))
    const hint = `it takes ${allowed.join(', ')}`
    return fail(c, new ApiError(405, 'METHOD_NOT_ALLOWED', `${path} does not take ${method}`, { hint }))
  })
  api.onError(async (error, c) => fail(c, await fromHono(c, error), deps))
  return api
}

/** The methods that a path takes; none where it is unknown. */
function pathMethods({ routes }: Api): (path: string) => string[] {
  const known = routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => ({ method, pattern: new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`) }))
  return (path) => [...new Set(known.flatMap(({ method, pattern }) => (pattern.test(path) ? method : [])))]
}

function fail(c: Context<ApiEnv>, error: Error, deps?: RouteDeps): Response {
  const known = errorAnswer(error)
  if (known) return c.json(known.body, known.status)
  deps?.log.error({ err: error, method: c.req.method, path: c.req.path }, 'the control API failed in an unexpected way')
  const message = 'something went wrong; the log says what'
  return c.json({ error: { code: 'INTERNAL', message } }, 500)
}

/** What Hono itself says of a body, in our words. */
async function fromHono(c: Context<ApiEnv>, error: Error): Promise<Error> {
  const status = 'getResponse' in error && 'status' in error ? error.status : undefined
  if (status === 400) return notJson(await c.req.text().catch(() => ''))
  if (status !== 415) return error
  return new ApiError(415, 'CONTROL_INVALID', 'the body must be sent as content-type: application/json')
}
