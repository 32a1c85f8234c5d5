import type { Conn, Sink } from '../../core/conn.ts'
import type { Clock, Random } from '../../core/env.ts'
import { WrappedConn } from '../../core/streams/wrapped.ts'
import type { FragmentSettings } from '../../settings/disturbing.ts'

export interface DisturbingDeps {
  readonly clock: Clock
  readonly random: Random
}

/** Any number of a range, both ends included. */
export const within = ({ from, to }: { readonly from: number; readonly to: number }, random: Random): number =>
  from + random.below(to - from + 1)

const recordHeader = 5

/**
 * Cuts what is written first into pieces, as Xray's freedom does. Pieces go out one after the other, and what is written
 * meanwhile waits behind them; whoever writes is asked to wait as well, so that no more than that is held.
 */
export class FragmentedConn extends WrappedConn {
  readonly #settings: FragmentSettings
  readonly #deps: DisturbingDeps
  #writes = 0
  /** Settles when all that was written is handed on; absent where nothing waits. */
  #behind: Promise<void> | undefined

  constructor(base: Conn, settings: FragmentSettings, deps: DisturbingDeps) {
    super(base)
    this.#settings = settings
    this.#deps = deps
  }

  read(): Promise<Uint8Array | null> {
    return this.base.read()
  }

  drainTo(sink: Sink): Promise<void> {
    return this.base.drainTo(sink)
  }

  override write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    const pieces = this.#pieces(++this.#writes, bytes)
    if (!pieces && !this.#behind) return this.base.write(bytes, release)
    const own = pieces ?? [bytes.slice()]
    release?.()
    const sent = (this.#behind ?? Promise.resolve()).then(() => this.#send(own))
    const settled = sent.then(nothing, nothing).then(() => {
      if (this.#behind === settled) this.#behind = undefined
    })
    this.#behind = settled
    return sent
  }

  override closeWrite(): void | Promise<void> {
    return this.#behind ? this.#behind.then(() => this.base.closeWrite()) : this.base.closeWrite()
  }

  async #send(pieces: readonly Uint8Array[]): Promise<void> {
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) await this.#pause()
      await this.base.write(piece)
    }
  }

  /** Also without an interval the next piece waits for the turn after, or the two would leave together. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#deps.clock.after(within(this.#settings.intervalMs, this.#deps.random), () => {
        leave()
        resolve()
      })
      const leave = this.onGone(() => {
        cancel()
        resolve()
      })
    })
  }

  /** Copies; undefined for what is to go out as it is. */
  #pieces(number: number, bytes: Uint8Array): Uint8Array[] | undefined {
    const { packets, intervalMs } = this.#settings
    if (packets === 'tlshello') {
      const length = number === 1 ? recordLength(bytes) : 0
      if (length === 0) return undefined
      const records = this.#cut(bytes.subarray(recordHeader, length)).map((part) => recordOf(bytes, part))
      const rest = bytes.length > length ? [bytes.slice(length)] : []
      return intervalMs.to === 0 ? [joined([...records, ...rest])] : [...records, ...rest]
    }
    if (packets !== 'all' && (number < packets.from || number > packets.to)) return undefined
    return this.#cut(bytes).map((part) => part.slice())
  }

  #cut(bytes: Uint8Array): Uint8Array[] {
    const { length, maxSplit } = this.#settings
    const { random } = this.#deps
    const most = maxSplit ? within(maxSplit, random) || Number.POSITIVE_INFINITY : Number.POSITIVE_INFINITY
    const parts: Uint8Array[] = []
    for (let from = 0; from < bytes.length; ) {
      const to = parts.length + 1 >= most ? bytes.length : from + within(length, random)
      parts.push(bytes.subarray(from, to))
      from = to
    }
    return parts
  }
}

const nothing = (): void => {}

/** Bytes of the TLS handshake record that stands in front, its header included; 0: there is none, or not all of it. */
function recordLength(bytes: Uint8Array): number {
  if (bytes.length <= recordHeader || bytes[0] !== 22) return 0
  const length = recordHeader + ((bytes[3]! << 8) | bytes[4]!)
  return length === recordHeader || bytes.length < length ? 0 : length
}

function recordOf(original: Uint8Array, part: Uint8Array): Uint8Array {
  const record = new Uint8Array(recordHeader + part.length)
  record.set(original.subarray(0, 3))
  record[3] = part.length >> 8
  record[4] = part.length & 255
  record.set(part, recordHeader)
  return record
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
