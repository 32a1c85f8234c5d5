/** What requests and answers look like. The OpenAPI document is made from these. */
import { z } from '@hono/zod-openapi'
import { speedJson, whole } from './scalars.ts'

export const healthSchema = z
  .object({ status: z.literal('ok').openapi({ description: 'The process answers.' }) })
  .openapi('Health')

export const readySchema = z
  .object({
    ready: z.boolean().openapi({ description: 'True from when every inbound listens until the stop begins.' }),
  })
  .openapi('Ready')

export const totalsSchema = z
  .object({
    uplink: whole('Plaintext bytes from the client towards the target.', 48_213),
    downlink: whole('Plaintext bytes towards the client.', 9_120_774),
  })
  .openapi('Totals')

export const speedSchema = z
  .object({
    uplink: speedJson('From the client towards the target.', 1_024),
    downlink: speedJson('Towards the client.', 524_288),
  })
  .openapi('Speed')

export const timeSchema = z.iso
  .datetime()
  .openapi({ description: 'ISO 8601, UTC.', example: '2026-03-01T12:00:00.000Z' })

export const limitsSchema = z
  .object({
    enabled: z.boolean().openapi({ description: 'False: the user is known and turned away.', example: true }),
    uplink: speedJson('From the client, over all its connections; 0: no limit.', 5_000_000),
    downlink: speedJson('To the client, over all its connections; 0: no limit.', 0),
    connections: whole('Connections at once; 0: no limit.', 10),
    addresses: whole('Client addresses at once, an IPv6 network of 64 bits counting as one; 0: no limit.', 2),
    addressGrace: z.number().min(0).openapi({
      description: 'Seconds for which an address too many is borne with, in case the device only moved.',
      example: 60,
    }),
    quota: whole('Plaintext bytes both ways until the user is turned away; 0: no limit.', 100_000_000_000),
    expires: timeSchema.nullable().openapi({ description: 'From when the user is turned away; null: never.' }),
    expiresAfter: z
      .number()
      .min(0)
      .openapi({ description: 'For how many seconds after the first use; 0: for ever.', example: 2_592_000 }),
  })
  .openapi('Limits')

export const userSchema = z
  .object({
    email: z.string().openapi({
      description: 'Names the user; letter case does not matter. Empty for users without one, who have no limits.',
      example: 'love@example.com',
    }),
    inbounds: z
      .array(
        z.object({
          tag: z.string().openapi({ example: 'vmess-in' }),
          id: z.string().openapi({ description: 'The first eight characters only.', example: 'b831381d…' }),
          level: whole('Policy level.', 0),
          alterId: whole('Number of alternative ids; 0: the AEAD header.', 0),
        }),
      )
      .openapi({ description: 'Where the user is known.' }),
    limits: limitsSchema,
    used: totalsSchema.openapi({ description: 'What counts against the quota.' }),
    firstUse: timeSchema.nullable().openapi({
      description: 'When the time of `expiresAfter` began; null: not yet, or there is no such limit.',
    }),
    connections: whole('Connections in progress.', 1),
    addresses: z
      .array(z.string())
      .openapi({ description: 'Client addresses of these, without ports.', example: ['203.0.113.7'] }),
  })
  .openapi('User')

export const createdUserSchema = userSchema
  .extend({
    id: z.string().openapi({
      description: 'The id in full: the only time that it is told.',
      example: 'b831381d-6324-4d53-ad4f-8cda48b30811',
    }),
  })
  .openapi('CreatedUser')

export const sessionSchema = z
  .object({
    id: whole('Counts up from the start.', 17),
    inbound: z.string().openapi({ description: 'Tag; empty when it has none.', example: 'vmess-in' }),
    outbound: z.string().openapi({ description: 'Tag; empty until one is chosen.', example: 'direct' }),
    rule: z.string().openapi({
      description: 'The rule that chose the outbound: its label, or # and its number from 1; empty where none did.',
      example: '#3',
    }),
    email: z.string().openapi({ example: 'love@example.com' }),
    source: z.string().openapi({ description: 'The client, with its port.', example: '203.0.113.7:51234' }),
    target: z.string().openapi({ description: 'What the client asked for.', example: 'example.com:443' }),
    sniffed: z.string().optional().openapi({
      description: 'The name that sniffing or fakedns found, where the client asked for an address or another name.',
      example: 'example.com',
    }),
    network: z.enum(['tcp', 'udp']),
    encoding: z.string().optional().openapi({
      description:
        'How datagrams travel inside of tunnels, from the client and to the outbound: plain (command 2), xudp, packetaddr or mux.',
      example: 'plain >> xudp',
    }),
    startedAt: timeSchema,
    totals: totalsSchema,
    speed: speedSchema.openapi({
      description: 'In the last second; on a first question, the average since the session began.',
    }),
  })
  .openapi('Session')

export const statusSchema = z
  .object({
    version: z.string().openapi({ example: '0.1.0' }),
    startedAt: timeSchema,
    uptime: whole('Seconds since the start.', 86_400),
    connections: whole('Client connections in progress.', 12),
    sessions: whole('Sessions in progress.', 9),
    users: whole('Users with an e-mail.', 4),
    ready: z.boolean(),
  })
  .openapi('Status')

export const inboundSchema = z
  .object({
    tag: z.string().openapi({ example: 'vmess-in' }),
    protocol: z.string().openapi({ example: 'vmess' }),
    listening: z.array(z.string()).openapi({ description: 'Where it listens now.', example: ['0.0.0.0:10086'] }),
    connections: whole('Connections in progress.', 12),
    users: whole('Users of a vmess inbound.', 4),
  })
  .openapi('Inbound')

export const outboundSchema = z
  .object({ tag: z.string().openapi({ example: 'direct' }), protocol: z.string().openapi({ example: 'freedom' }) })
  .openapi('Outbound')

export const handshakeSchema = z
  .object({
    inbound: z.string().openapi({ example: 'vmess-in' }),
    outcome: z.enum(['accepted', 'refused', 'failed']).openapi({
      description: 'accepted: led on to a target; refused: turned away; failed: the target was not reached.',
    }),
    reason: z.string().openapi({ description: 'Error code; empty when accepted.', example: 'VMESS_UNKNOWN_USER' }),
    count: whole('Since the start.', 3),
  })
  .openapi('HandshakeCount')

export const endingSchema = z
  .object({
    inbound: z.string().openapi({ example: 'vmess-in' }),
    reason: z.string().openapi({ description: 'Error code.', example: 'USER_QUOTA' }),
    count: whole('Since the start.', 3),
  })
  .openapi('EndingCount')

const changes = z.object({
  added: z.array(z.string()),
  changed: z.array(z.string()),
  removed: z.array(z.string()),
})

export const reloadSchema = z
  .object({
    inbounds: changes.openapi({ description: 'By tag.' }),
    outbounds: changes.openapi({ description: 'By tag.' }),
    users: z.object({ added: whole('Users.', 1), changed: whole('Users.', 0), removed: whole('Users.', 0) }),
    routing: z.boolean().openapi({ description: 'Whether other rules are in force.' }),
    restart: z.array(z.string()).openapi({ description: 'Parts of the file that need a restart, in words.' }),
    warnings: z.array(z.string()).openapi({
      description: 'What the new configuration asks for that is not applied, each with file, line and column.',
    }),
  })
  .openapi('ReloadReport')

export const endedSchema = z.object({ ended: whole('Sessions that were ended.', 2) }).openapi('Ended')

export const errorSchema = z
  .object({
    error: z.object({
      code: z.string().openapi({ description: 'Stable; for programs.', example: 'CONTROL_NOT_FOUND' }),
      message: z.string().openapi({ description: 'For people.', example: 'there is no user "nobody@example.com"' }),
      hint: z.string().optional().openapi({ description: 'What to try.' }),
      field: z.string().optional().openapi({ description: 'The field it is about.', example: 'limits.quota' }),
      problems: z
        .array(z.string())
        .optional()
        .openapi({ description: 'What is wrong with a configuration, each with file, line and column.' }),
    }),
  })
  .openapi('Error')
