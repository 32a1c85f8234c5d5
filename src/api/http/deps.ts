import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Control } from '../../control/control.ts'
import type { Clock, Logger } from '../../core/env.ts'
import type { EventStreams } from './events.ts'
import type { Metrics } from './metrics.ts'
import type { Traffic } from './traffic.ts'

export interface HttpApiDeps {
  readonly control: Control
  /** What a caller must show. Secret, never empty. */
  readonly token: string
  readonly clock: Clock
  readonly log: Logger
}

/** What handlers work with. */
export interface RouteDeps extends HttpApiDeps {
  readonly traffic: Traffic
  readonly streams: EventStreams
  readonly metrics: Metrics
  /** Told of every connection that has shown the token. */
  readonly onToken: (socket: Socket) => void
}

/** Hono's environment: the request as Node has it, for the caller's address; and what handlers leave for the log. */
export interface ApiEnv {
  Bindings: { readonly incoming?: IncomingMessage }
  /** What a request has changed, in words and without a secret. */
  Variables: { change?: string }
}

export type Api = OpenAPIHono<ApiEnv>
