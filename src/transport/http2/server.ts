import type { Conn } from '../../core/conn.ts'
import type { Passage } from '../../core/dialer.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { onBehalfOf } from '../../net/on-behalf.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { sniffHttp2 } from './preface.ts'
import { ServerSession, type SessionService } from './server-session.ts'

export interface Http2Service extends SessionService {
  /** Takes the carriers on which something else than HTTP/2 comes, with all their bytes. */
  readonly other: Passage
}

/**
 * Takes carriers on which HTTP/2 comes, with or without TLS below. A connection is on its way until one of its requests was
 * responded to; one that does not get there is a stranger, who is kept no longer than a web server would.
 */
export class Http2Passage implements Passage {
  readonly #service: Http2Service
  readonly #deps: UpgradeDeps
  /** Nobody knows yet what they speak. */
  readonly #mute = new Set<Conn>()
  readonly #sessions = new Set<ServerSession>()

  constructor(service: Http2Service, deps: UpgradeDeps) {
    this.#service = service
    this.#deps = deps
  }

  get pending(): number {
    let strangers = 0
    for (const { known } of this.#sessions) if (!known) strangers++
    return this.#mute.size + strangers + this.#service.other.pending
  }

  receive(carrier: Conn): void {
    if (carrier.gone) return
    const { env, onFailedHandshake } = this.#deps
    const ms = limits.siteHeadMs
    const { remote } = carrier.info
    const late = (): void => {
      onFailedHandshake(remote, new ProxyError('HANDSHAKE_TIMEOUT', `nothing from ${remote} within ${ms / 1000} s`))
      carrier.destroy()
    }
    this.#mute.add(carrier)
    const cancel = env.clock.after(ms, late)
    sniffHttp2(carrier)
      .then(
        (found) => this.#found(carrier, found),
        // It broke before it said anything of use, which is nobody's fault.
        () => carrier.destroy(),
      )
      .finally(() => {
        cancel()
        this.#mute.delete(carrier)
      })
  }

  #found(carrier: Conn, found: Awaited<ReturnType<typeof sniffHttp2>>): void {
    if (!found?.http2) {
      if (found) this.#service.other.receive(found.whole())
      else carrier.destroy()
      return
    }
    const { remote } = carrier.info
    const peer = { remote, through: 'HTTP/2', destroy: (reason: Error) => carrier.destroy(reason) }
    onBehalfOf(peer, () => {
      const session = new ServerSession(carrier, found.first, this.#service, this.#deps, () =>
        this.#sessions.delete(session),
      )
      this.#sessions.add(session)
    })
  }

  close(): void {
    this.#service.other.close()
    for (const carrier of this.#mute) carrier.destroy()
    for (const session of this.#sessions) session.leave()
  }
}
