import type { Address } from '../../core/address.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import { PacketLayer } from '../../core/datagrams/packet-layer.ts'
import { WaitingPackets } from '../../core/datagrams/waiting-packets.ts'
import type { NoiseSettings } from '../../settings/disturbing.ts'
import { type DisturbingDeps, within } from './fragmented-conn.ts'

/** Sends noises to the first target before anything else, as Xray's freedom does; datagrams wait for their delays. */
export class NoisyPackets extends PacketLayer {
  readonly #noises: readonly NoiseSettings[]
  readonly #deps: DisturbingDeps
  readonly #waiting = new WaitingPackets<Address>()
  #state: 'quiet' | 'noisy' | 'through' = 'quiet'

  constructor(base: PacketConn, noises: readonly NoiseSettings[], deps: DisturbingDeps) {
    super(base)
    this.#noises = noises
    this.#deps = deps
    base.onGone(() => {
      this.droppedHere += this.#waiting.drop()
    })
  }

  override send(bytes: Uint8Array, to: Address): boolean {
    if (this.#state === 'quiet') this.#begin(to)
    if (this.#state !== 'noisy') return this.base.send(bytes, to)
    if (this.gone || bytes.length > this.info.largest) return this.drop()
    this.droppedHere += this.#waiting.add(bytes, to)
    return true
  }

  /** What waits is still sent. */
  override closeWrite(): void | Promise<void> {
    this.#waiting.release((bytes, to) => this.base.send(bytes, to))
    this.#state = 'through'
    return this.base.closeWrite()
  }

  /** Name servers get no noise: some would answer it, and some would ask no more. */
  #begin(to: Address): void {
    const family = to.host.includes(':') ? 6 : 4
    const noises = to.port === 53 ? [] : this.#noises.filter((noise) => noise.family === 0 || noise.family === family)
    this.#state = 'noisy'
    this.#next(noises, to)
  }

  #next([noise, ...rest]: readonly NoiseSettings[], to: Address): void {
    if (this.#state === 'through' || this.gone) return
    if (!noise) {
      this.#state = 'through'
      this.#waiting.release((bytes, target) => this.base.send(bytes, target))
      return
    }
    const { clock, random } = this.#deps
    const { packet, delayMs } = noise
    this.base.send(packet instanceof Uint8Array ? packet : random.fill(new Uint8Array(within(packet, random))), to)
    const delay = within(delayMs, random)
    if (delay === 0) {
      this.#next(rest, to)
      return
    }
    const cancel = clock.after(delay, () => {
      leave()
      this.#next(rest, to)
    })
    const leave = this.base.onGone(cancel)
  }
}
