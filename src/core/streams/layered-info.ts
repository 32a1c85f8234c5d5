import { type ConnInfo, type HalfClose, rootInfo } from '../conn.ts'

/** What a layer says of itself over what its carrier says: asked rarely, so nothing is computed before. */
export class LayeredInfo implements ConnInfo {
  readonly halfClose: HalfClose
  readonly level?: number
  readonly #base: ConnInfo
  readonly #name: string

  constructor(base: ConnInfo, name: string, halfClose: HalfClose, level?: number) {
    this.#base = base
    this.#name = name
    this.halfClose = halfClose
    if (level !== undefined) this.level = level
  }

  get carrier(): ConnInfo {
    return rootInfo(this.#base)
  }

  get remote(): string {
    return this.#base.remote
  }

  get local(): string {
    return this.#base.local
  }

  get layers(): readonly string[] {
    return [...this.#base.layers, this.#name]
  }
}
