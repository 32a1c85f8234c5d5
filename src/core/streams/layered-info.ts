import { type ConnInfo, type HalfClose, rootInfo } from '../conn.ts'

/** What a layer says of itself over what its carrier says: asked rarely, so nothing is computed before. */
export class LayeredInfo implements ConnInfo {
  readonly halfClose: HalfClose
  readonly level?: number
  readonly #base: ConnInfo
  readonly #client: string | undefined
  readonly #name: string

  /** @param client where the client is that came by a proxy; absent: at the other end of the carrier */
  constructor(base: ConnInfo, name: string, halfClose: HalfClose, level?: number, client?: string) {
    this.#base = base
    this.#name = name
    this.halfClose = halfClose
    if (level !== undefined) this.level = level
    this.#client = client
  }

  get carrier(): ConnInfo {
    return rootInfo(this.#base)
  }

  get remote(): string {
    return this.#client ?? this.#base.remote
  }

  get local(): string {
    return this.#base.local
  }

  get layers(): readonly string[] {
    return [...this.#base.layers, this.#name]
  }
}
