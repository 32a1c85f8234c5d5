import type { Conn } from '../../core/conn.ts'
import type { Passage } from '../../core/dialer.ts'
import { limits } from '../../core/limits.ts'
import type { XhttpConfig } from '../../settings/xhttp.ts'
import { Http1Server } from '../http1/server.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import type { Exchange } from './exchange.ts'

/** Serves the requests of carriers with HTTP/1. */
export class Http1Passage implements Passage {
  readonly #config: XhttpConfig
  readonly #deps: UpgradeDeps
  readonly #serve: (exchange: Exchange) => Promise<void>
  readonly #all = new Set<Conn>()

  constructor(config: XhttpConfig, deps: UpgradeDeps, serve: (exchange: Exchange) => Promise<void>) {
    this.#config = config
    this.#deps = deps
    this.#serve = serve
  }

  get pending(): number {
    return this.#all.size
  }

  receive(carrier: Conn): void {
    if (carrier.gone) return
    this.#all.add(carrier)
    new Http1Server(carrier, {
      layer: 'xhttp',
      headMax: this.#config.maxHeaderBytes || limits.upgradeHeadMax,
      forwarded: this.#config.forwarded,
      deps: this.#deps,
      serve: this.#serve,
    })
      .run(new Uint8Array(0))
      .finally(() => this.#all.delete(carrier))
  }

  close(): void {
    for (const carrier of this.#all) carrier.destroy()
  }
}
