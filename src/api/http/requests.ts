/** What may be asked for: bodies, queries and names in paths. */
import { z } from '@hono/zod-openapi'
import { emailFault } from '../../core/email.ts'
import { strict } from './scalars.ts'

const numberOrText = (description: string, example: string) =>
  z
    .union([z.number().int().min(0), z.string()], {
      error: `a whole number or a text such as ${JSON.stringify(example)} is expected`,
    })
    .nullable()
    .optional()
    .openapi({ type: ['number', 'string', 'null'], description, example })

const amount = (expected: string, description: string, example: string) =>
  numberOrText(`${description} ${expected}; null or 0: no limit.`, example)

const speedText = 'Bytes per second, or a text with its unit such as "5 MB/s" or "40 Mbit/s"'

/** Their types only: what they come to is read where all requests are, whichever way they come. */
export const limitsInput = strict({
  enabled: z.boolean().optional().openapi({ description: 'False: the user is known and turned away.' }),
  uplink: amount(speedText, 'From the client, over all its connections.', '5 MB/s'),
  downlink: amount(speedText, 'To the client, over all its connections.', '40 Mbit/s'),
  connections: z.number().int().min(0).max(4_294_967_295).nullable().optional().openapi({
    description: 'Connections at once; null or 0: no limit.',
    example: 10,
  }),
  addresses: z.number().int().min(0).max(4_294_967_295).nullable().optional().openapi({
    description: 'Client addresses at once, an IPv6 network of 64 bits counting as one; null or 0: no limit.',
    example: 2,
  }),
  addressGrace: z.number().int().min(0).max(86_400).optional().openapi({
    description: 'Seconds for which an address too many is borne with.',
    example: 60,
  }),
  quota: amount(
    'Bytes, or a text with its unit such as "100 GB"',
    'Both ways until the user is turned away.',
    '100 GB',
  ),
  expires: numberOrText(
    'The last day, UTC, or a moment in ISO 8601 or in Unix seconds, from which the user is turned away; null: never.',
    '2026-12-31',
  ),
  expiresAfter: numberOrText(
    'For how long from the first connection on: a text with its unit, or seconds; null or 0: for ever. With `expires` as well the earlier one holds.',
    '30 days',
  ),
}).openapi('LimitsInput', { description: 'What is left out stays as it is.' })

const level = z
  .number()
  .int()
  .min(0)
  .max(4_294_967_295)
  .optional()
  .openapi({ description: 'Policy level.', example: 0 })

export const newUser = strict({
  inbound: z.string().openapi({ description: 'Tag of the vmess inbound.', example: 'vmess-in' }),
  id: z
    .string()
    .optional()
    .openapi({ description: 'A UUID, or a custom id of 1 to 30 bytes. A random UUID when left out.' }),
  email: z
    .string()
    .min(1)
    .max(256)
    .refine((email) => emailFault(email) === undefined, { error: ({ input }) => emailFault(String(input)) })
    .openapi({ description: 'Names the user. Without control characters.', example: 'love@example.com' }),
  level,
  alterId: z.number().int().min(0).max(65_535).optional().openapi({
    description: 'Number of alternative ids; 0, the default: the AEAD header.',
    example: 0,
  }),
  limits: limitsInput.optional(),
}).openapi('NewUser')

export const userChange = strict({ level, limits: limitsInput.optional() }).openapi('UserChange')

export const emailParam = z.object({
  email: z.string().openapi({
    param: { name: 'email', in: 'path' },
    description: 'The user’s e-mail, percent-encoded; letter case does not matter.',
    example: 'love@example.com',
  }),
})

export const sessionParam = z.object({
  id: z
    .string()
    .regex(/^\d{1,15}$/, { error: 'a session id is a whole number' })
    .openapi({
      param: { name: 'id', in: 'path' },
      example: '17',
    }),
})

export const inboundQuery = strict({
  inbound: z.string().optional().openapi({ description: 'Tag: from this inbound only. From all when left out.' }),
})

const limit = z
  .string()
  .regex(/^(?:[1-9]\d?|[1-4]\d\d|500)$/, { error: 'a whole number from 1 to 500 is expected' })
  .optional()
  .openapi({ description: 'How many at the most, 1 to 500, the default.', example: '100' })

const cursor = z
  .string()
  .regex(/^[\w-]{1,2048}$/, { error: 'what an answer had as "next" is expected' })
  .optional()
  .openapi({ description: 'Where to go on: `next` of the answer before.' })

export const pageQuery = strict({ cursor, limit })

export const sessionsQuery = strict({
  cursor,
  limit,
  email: z.string().optional().openapi({ description: 'Only this user’s.' }),
  inbound: z.string().optional().openapi({ description: 'Only this inbound’s, by tag.' }),
})

export const countersQuery = strict({
  cursor,
  limit,
  pattern: z.string().optional().openapi({ description: 'Only names that contain this.', example: 'user>>>' }),
})

export const eventsQuery = strict({
  sessions: z.enum(['true', 'false']).optional().openapi({ description: 'true: figures list the live sessions.' }),
  token: z.string().optional().openapi({ description: 'For browsers, whose EventSource cannot set headers.' }),
})
