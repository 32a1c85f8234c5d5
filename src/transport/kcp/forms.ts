import type { Random } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import type { Masks } from '../../protocol/kcp/mask.ts'
import type { KcpSizes } from '../../protocol/kcp/sizes.ts'
import type { KcpConfig } from '../../settings/kcp.ts'
import { formsOf, type Wrapping, wrappingOf } from './wrapping.ts'

/** How the datagrams of one connection look. */
export interface ServerForm {
  /** Hands over the datagram for a segment, or one in each form as long as the server has not shown which it speaks; lent. */
  wrap(segment: Uint8Array, send: (datagram: Uint8Array) => void): void
  /** The segments of a datagram of the server; undefined: it is not from it. */
  open(datagram: Uint8Array): Uint8Array | undefined
  /** The connection is over. */
  over(): void
}

/**
 * Which form of mKCP each server speaks, where the settings leave it open: both are sent until the server answers, and whoever
 * does not know one drops it. What a server answered in holds for its next connections, until one of them gets no answer.
 */
export class ServerForms {
  readonly #wrappings: readonly Wrapping[]
  /** By address: the number of its form. */
  readonly #known = new Map<string, number>()

  constructor(config: KcpConfig, random: Random) {
    this.#wrappings = formsOf(config).map((form) => wrappingOf(form, random))
  }

  /** Those of the first form, which adds most. */
  get sizes(): KcpSizes {
    return this.#wrappings[0]!.sizes
  }

  /** @param conv number of the conversation, by which an answer is known */
  of(server: string, conv: number): ServerForm {
    const all = this.#wrappings.map((wrapping) => wrapping.masks())
    const known = all[this.#known.get(server) ?? (all.length === 1 ? 0 : -1)]
    let candidates: readonly Masks[] = known ? [known] : all
    let answered = false
    return {
      wrap: (segment, send) => {
        for (const masks of candidates) send(masks.wrap(segment))
      },
      open: (datagram) => {
        for (const masks of candidates) {
          const segments = masks.open(datagram)
          if (!segments || segments.length < 2 || segments[0]! * 0x100 + segments[1]! !== conv) continue
          if (candidates.length > 1) this.#remember(server, all.indexOf(masks))
          candidates = [masks]
          answered = true
          return segments
        }
        return undefined
      },
      over: () => {
        if (!answered) this.#known.delete(server)
      },
    }
  }

  #remember(server: string, form: number): void {
    if (this.#known.size >= limits.kcpServers) this.#known.clear()
    this.#known.set(server, form)
  }
}
