import type { Context, Next } from 'hono'
import type { Logger } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { onceEvery } from '../../core/time/once-every.ts'
import type { Api, ApiEnv, RouteDeps } from './deps.ts'
import { ApiError } from './errors.ts'
import { Attempts, hostAllowed, tokenCheck } from './guard.ts'

/** What tells nothing of the instance but that it is there. */
const open: ReadonlySet<string> = new Set(['/health', '/ready', '/openapi.json'])

/** What every request passes before its route. */
export function guard(api: Api, { token, clock, log, onToken }: RouteDeps, listenHost: () => string | undefined): void {
  const isToken = tokenCheck(token)
  const attempts = new Attempts(clock)
  const due = onceEvery(clock, 60_000)

  api.use(async (c, next) => {
    c.header('cache-control', 'no-store')
    c.header('x-content-type-options', 'nosniff')
    c.header('referrer-policy', 'no-referrer')
    const host = listenHost()
    if (host !== undefined && !hostAllowed(c.req.header('host'), host)) {
      const hint = 'use an IP address, localhost, or the host of control.listen'
      throw new ApiError(403, 'HOST_REFUSED', 'the Host header is a name that this API does not go by', { hint })
    }
    await next()
  })

  api.use(async (c, next) => {
    if (open.has(c.req.path)) return next()
    const from = c.env.incoming?.socket.remoteAddress ?? 'unix socket'
    const shown = shownToken(c)
    // First of all: behind a tunnel or a proxy everybody has one address, and a stranger there must not keep others out.
    if (isToken(shown)) {
      if (c.env.incoming) onToken(c.env.incoming.socket)
      await next()
      return tellChange(c, from, log)
    }
    if (shown !== '') wrongToken(c, from)
    c.header('www-authenticate', 'Bearer')
    const text = shown === '' ? 'the token is missing' : 'the token is wrong'
    throw new ApiError(401, 'TOKEN_REQUIRED', text, { hint: 'send the header Authorization: Bearer TOKEN' })
  })

  function wrongToken(c: Context<ApiEnv>, from: string): void {
    const blockedS = attempts.blockedS(from)
    if (blockedS > 0) {
      c.header('retry-after', String(blockedS))
      throw new ApiError(429, 'TOO_MANY_ATTEMPTS', 'too many wrong tokens from this address; wait a minute')
    }
    attempts.wrong(from)
    if (due(from)) log.warn({ from }, 'a caller of the control API showed a wrong token')
    const lockedS = attempts.blockedS(from)
    if (lockedS > 0)
      log.warn({ from }, `too many wrong tokens for the control API: others are refused for ${lockedS} s`)
  }

  api.use(limitBody)
}

/** Who changed what, for whoever wonders later; requests that changed nothing are for those who look closely. */
function tellChange(c: Context<ApiEnv>, from: string, log: Logger): void {
  const change = c.get('change')
  const { method, path } = c.req
  if (change !== undefined) log.warn({ from }, `control API: ${change}`)
  else if (method !== 'GET' && method !== 'HEAD') log.info({ from, method, path, status: c.res.status }, 'control API')
}

/** Browsers' EventSource cannot set headers, so events take the token from the query as well. */
function shownToken(c: Context<ApiEnv>): string {
  const header = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
  return header ?? (c.req.path === '/v1/events' ? (c.req.query('token') ?? '') : '')
}

async function limitBody(c: Context<ApiEnv>, next: Next): Promise<void> {
  const tooLarge = () => new ApiError(413, 'BODY_TOO_LARGE', `a request may have ${limits.controlBodyMax} bytes`)
  if (Number(c.req.header('content-length') ?? 0) > limits.controlBodyMax) throw tooLarge()
  const { body, headers, method } = c.req.raw
  if (c.req.header('transfer-encoding') !== undefined && body) {
    const pieces: Uint8Array[] = []
    let size = 0
    for await (const piece of body) {
      size += piece.length
      if (size > limits.controlBodyMax) throw tooLarge()
      pieces.push(piece)
    }
    c.req.raw = new Request(c.req.url, { method, headers, body: Buffer.concat(pieces) })
  }
  await next()
}
