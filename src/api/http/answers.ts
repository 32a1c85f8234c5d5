/** The answers that routes describe, for the OpenAPI document. */
import type { z } from '@hono/zod-openapi'
import { errorSchema } from './schemas.ts'

export const json = <S extends z.ZodType>(schema: S, description: string) => ({
  content: { 'application/json': { schema } },
  description,
})

export const body = <S extends z.ZodType>(schema: S) => ({
  content: { 'application/json': { schema } },
  required: true,
})

const texts = {
  400: 'A field is wrong; the error names it.',
  401: 'The token is missing or wrong.',
  403: 'The Host header is a name that the API does not go by.',
  404: 'What the path names is not there.',
  409: 'It exists already.',
  413: 'The body is larger than 1 MB.',
  415: 'The body is not application/json.',
  422: 'The configuration was refused; nothing has changed.',
  429: 'Too many wrong tokens from this address: not before the minute is over.',
  503: 'As many event streams are open as permitted.',
} as const

/** The answers of a route that asks for the token, and these besides. */
export const guarded = <S extends keyof typeof texts = never>(...statuses: S[]) => {
  const all = [401, 429, ...statuses] as const
  type Answer = ReturnType<typeof json<typeof errorSchema>>
  return Object.fromEntries(all.map((status) => [status, json(errorSchema, texts[status])])) as Record<
    S | 401 | 429,
    Answer
  >
}

export const withToken = [{ bearer: [] }]

/** For routes that ask for no token. */
export const hostRefused = json(errorSchema, texts[403])
