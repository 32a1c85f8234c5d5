/** The client of an HTTP proxy: streams by CONNECT. HTTP has no word for datagrams here, and carries none. */

import type { Dialer, Outbound } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { ConnectAnswer, type ConnectAsk, connectRequest } from '../../protocol/http/connect.ts'
import type { HttpOutboundSettings } from '../../settings/model.ts'
import { type Talk, Upstream } from '../upstream/agree.ts'

export interface HttpOutboundDeps {
  /** Reaches the proxies: the transport stack. */
  readonly dialer: Dialer
  readonly env: Env
}

export function createHttpOutbound(tag: string, settings: HttpOutboundSettings, deps: HttpOutboundDeps): Outbound {
  const { servers, headers } = settings
  const upstream = new Upstream(servers, { kind: 'http', name: 'HTTP', ...deps })
  return {
    tag,
    async dial(target, options) {
      return (await upstream.open(options, (login) => talkOf({ target, login, headers }))).conn
    },
    async close() {},
  }
}

function talkOf(ask: ConnectAsk): Talk<undefined> {
  const answer = new ConnectAnswer(ask)
  return {
    first: connectRequest(ask),
    push(bytes) {
      const rest = answer.push(bytes)
      return rest ? { done: { answer: undefined, rest } } : {}
    },
  }
}
