import { createRoute, z } from '@hono/zod-openapi'
import { guarded, hostRefused, json, withToken } from '../answers.ts'
import type { Api, RouteDeps } from '../deps.ts'
import { nextJson, nextSchema, pageOfQuery } from '../paging.ts'
import { countersQuery } from '../requests.ts'
import {
  endingSchema,
  handshakeSchema,
  healthSchema,
  inboundSchema,
  outboundSchema,
  readySchema,
  statusSchema,
} from '../schemas.ts'
import { inboundJson, statusJson } from '../views.ts'

const health = createRoute({
  operationId: 'getHealth',
  method: 'get',
  path: '/health',
  tags: ['state'],
  summary: 'Whether the process answers',
  security: [],
  responses: { 200: json(healthSchema, 'It does.'), 403: hostRefused },
})

const ready = createRoute({
  operationId: 'getReady',
  method: 'get',
  path: '/ready',
  tags: ['state'],
  summary: 'Whether clients are served',
  security: [],
  responses: {
    403: hostRefused,
    200: json(readySchema, 'Every inbound listens.'),
    503: json(readySchema, 'Not yet, or no more.'),
  },
})

const metrics = createRoute({
  operationId: 'getMetrics',
  method: 'get',
  path: '/metrics',
  tags: ['state'],
  summary: 'Figures for Prometheus',
  security: withToken,
  responses: {
    200: { content: { 'text/plain': { schema: z.string() } }, description: 'In the text format of Prometheus.' },
    ...guarded(),
  },
})

const status = createRoute({
  operationId: 'getStatus',
  method: 'get',
  path: '/v1/status',
  tags: ['state'],
  summary: 'Version, uptime and how much is in progress',
  security: withToken,
  responses: { 200: json(statusSchema, 'As of now.'), ...guarded() },
})

const counters = createRoute({
  operationId: 'listCounters',
  method: 'get',
  path: '/v1/counters',
  tags: ['state'],
  summary: 'Traffic counters under V2Ray’s names',
  security: withToken,
  request: { query: countersQuery },
  responses: {
    200: json(
      z
        .object({
          counters: z.record(z.string(), z.number()).openapi({
            description: 'Plaintext bytes since the start.',
            example: { 'user>>>love@example.com>>>traffic>>>uplink': 48_213 },
          }),
          next: nextSchema,
        })
        .openapi('Counters'),
      'One page of those that have been counted so far, by their names.',
    ),
    ...guarded(400),
  },
})

const handshakes = createRoute({
  operationId: 'listHandshakes',
  method: 'get',
  path: '/v1/handshakes',
  tags: ['state'],
  summary: 'What became of handshakes since the start',
  security: withToken,
  responses: {
    200: json(z.object({ handshakes: z.array(handshakeSchema) }), 'By inbound, outcome and reason.'),
    ...guarded(),
  },
})

const endings = createRoute({
  operationId: 'listEndings',
  method: 'get',
  path: '/v1/endings',
  tags: ['state'],
  summary: 'Sessions that ended before their time since the start',
  security: withToken,
  responses: { 200: json(z.object({ endings: z.array(endingSchema) }), 'By inbound and reason.'), ...guarded() },
})

const inbounds = createRoute({
  operationId: 'listInbounds',
  method: 'get',
  path: '/v1/inbounds',
  tags: ['state'],
  summary: 'Inbounds and where they listen',
  security: withToken,
  responses: { 200: json(z.object({ inbounds: z.array(inboundSchema) }), 'All of them.'), ...guarded() },
})

const outbounds = createRoute({
  operationId: 'listOutbounds',
  method: 'get',
  path: '/v1/outbounds',
  tags: ['state'],
  summary: 'Outbounds; the first is the default',
  security: withToken,
  responses: { 200: json(z.object({ outbounds: z.array(outboundSchema) }), 'All of them.'), ...guarded() },
})

const encoder = new TextEncoder()

export function addStateRoutes(api: Api, { control, metrics: figures }: RouteDeps): void {
  api.openapi(health, (c) => c.json({ status: 'ok' as const }, 200))
  api.openapi(ready, async (c) =>
    (await control.status()).ready ? c.json({ ready: true }, 200) : c.json({ ready: false }, 503),
  )
  api.openapi(metrics, async (c) => {
    const pieces = figures.pieces()
    const first = await pieces.next()
    const text = async function* () {
      if (!first.done) yield encoder.encode(first.value)
      for await (const piece of pieces) yield encoder.encode(piece)
    }
    return c.body(ReadableStream.from(text()), 200, { 'content-type': figures.contentType }) as never
  })
  api.openapi(status, async (c) => c.json(statusJson(await control.status()), 200))
  api.openapi(counters, async (c) => {
    const { pattern, ...page } = c.req.valid('query')
    const { items, next } = await control.counterPage({ ...pageOfQuery(page), containing: pattern })
    return c.json(
      { counters: Object.fromEntries(items.map(({ name, value }) => [name, value])), ...nextJson(next) },
      200,
    )
  })
  api.openapi(handshakes, async (c) => {
    const all = await control.handshakes()
    return c.json({ handshakes: all.map(({ inboundTag: inbound, ...same }) => ({ inbound, ...same })) }, 200)
  })
  api.openapi(endings, async (c) => {
    const all = await control.endings()
    return c.json({ endings: all.map(({ inboundTag: inbound, ...same }) => ({ inbound, ...same })) }, 200)
  })
  api.openapi(inbounds, async (c) => c.json({ inbounds: (await control.inbounds()).map(inboundJson) }, 200))
  api.openapi(outbounds, async (c) =>
    c.json({ outbounds: (await control.outbounds()).map(({ tag, protocol }) => ({ tag, protocol })) }, 200),
  )
}
