/** One request through an outbound, to see whether it answers and how soon. */
import type { Dialer } from '../../core/dialer.ts'
import type { Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { deadline } from '../../core/time/deadline.ts'

export interface ProbeRequest {
  /** http:// or https://. */
  readonly url: string
  readonly method: string
  readonly timeoutMs: number
}

export interface ProbeDeps {
  readonly clock: Clock
  /** TLS over what it is given. */
  readonly secure: (base: Dialer) => Dialer
}

/** What a first line may be long. */
const firstLine = 256

/** Milliseconds until the answer begins; any answer of HTTP is one. Rejects with why there is none. */
export async function probe(dialer: Dialer, request: ProbeRequest, { clock, secure }: ProbeDeps): Promise<number> {
  const url = new URL(request.url)
  const https = url.protocol === 'https:'
  const to = { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port) || (https ? 443 : 80) }
  const began = clock.elapsed()
  const limit = deadline(clock, request.timeoutMs, () => timedOut(request))
  try {
    const conn = await (https ? secure(dialer) : dialer).dial(to, { until: limit.until })
    const cancel = limit.until.onGone((why) => conn.destroy(why))
    try {
      const head = `${request.method} ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nUser-Agent: Mozilla/5.0\r\nConnection: close\r\n\r\n`
      const written = conn.write(Buffer.from(head))
      if (written) written.catch(() => {})
      let seen = ''
      while (!/^HTTP\/1\.[01] \d{3}/.test(seen)) {
        const read = await conn.read()
        if (read === null || seen.length > firstLine)
          throw new ProxyError('DIAL_FAILED', 'the answer is not one of HTTP')
        seen += Buffer.from(read).toString('latin1')
      }
      return clock.elapsed() - began
    } finally {
      cancel()
      conn.destroy()
    }
  } finally {
    limit.done()
  }
}

const timedOut = ({ timeoutMs }: ProbeRequest) =>
  new ProxyError('DIAL_TIMEOUT', `there was no answer within ${timeoutMs / 1000} s`)
