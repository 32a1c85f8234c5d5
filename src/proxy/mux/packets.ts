import type { Address } from '../../core/address.ts'
import type { Cancel } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { Life } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import type { PacketConn, PacketInfo } from '../../core/packet.ts'
import { FrameEncoder } from '../../protocol/mux/frame-encoder.ts'
import type { DataUse, Frame } from '../../protocol/mux/model.ts'
import { type Carrier, holdDefault, type Substream } from './carrier.ts'

export interface MuxPacketOptions {
  /** Keep frames carry addresses: one session for many destinations. Else all datagrams go to, and come from, one. */
  readonly addressed: boolean
  /** At a server: what New asked for. At a client the first datagram decides. */
  readonly target?: Address
  /** Names the client's socket in New, 8 bytes. */
  readonly globalId?: Uint8Array
  /** The carrier was opened for this session alone: it is ended by ending the carrier, and End is never sent. */
  readonly alone?: boolean
  /** Called with the first answer: whether it says where it comes from. */
  readonly answered?: (sourced: boolean) => void
}

interface Held {
  readonly bytes: Uint8Array
  readonly from: Address
}

/**
 * Datagrams inside a carrier. They are never held back for long: where the connection or the receiver is not ready they
 * are dropped, but for the few that come before the receiver has begun.
 */
export class MuxPacketConn implements PacketConn, Substream {
  readonly info: PacketInfo
  readonly holdsAtMost = holdDefault
  dropped = 0
  readonly #carrier: Carrier
  readonly #session: number
  readonly #options: MuxPacketOptions
  readonly #life = new Life()
  #encoder: FrameEncoder | undefined
  #target: Address | undefined
  /** Where the datagram that comes next is from. */
  #from: Address | undefined
  #sink: ((lent: Uint8Array, from: Address) => void) | undefined
  #settle: ((error?: unknown) => void) | undefined
  #held: Held[] = []
  #heldBytes = 0
  #answered = false
  #ended = false

  constructor(carrier: Carrier, session: number, options: MuxPacketOptions) {
    this.#carrier = carrier
    this.#session = session
    this.#options = options
    this.#target = options.target
    if (options.target) this.#encoder = new FrameEncoder(session)
    const { local, layers, level } = carrier.info
    this.info = {
      local,
      largest: limits.muxDatagramMax,
      encoding: options.addressed ? 'xudp' : 'mux',
      layers: [...layers, 'mux'],
      ...(level !== undefined && { level }),
    }
  }

  get gone(): Error | undefined {
    return this.#life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#life.onGone(run)
  }

  drainTo(sink: (lent: Uint8Array, from: Address) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#sink) return reject(new ProxyError('PROTOCOL_MISUSE', 'the datagrams have a receiver already'))
      if (this.#life.gone && !this.#ended) return reject(this.#life.gone)
      this.#sink = sink
      this.#settle = (error) => {
        this.#sink = this.#settle = undefined
        if (error === undefined) resolve()
        else reject(error)
      }
      const held = this.#held
      this.#forgetHeld()
      for (const { bytes, from } of held) this.#deliver(bytes, from)
      if (this.#ended) this.#settle?.()
    })
  }

  send(bytes: Uint8Array, to: Address): boolean {
    const sent = !this.#life.gone && this.#carry(bytes, to)
    if (!sent) this.dropped++
    return sent
  }

  #carry(bytes: Uint8Array, to: Address): boolean {
    if (bytes.length === 0 || bytes.length > this.info.largest || this.#carrier.congested) return false
    const { addressed } = this.#options
    if (!addressed && this.#target && !isSame(this.#target, to)) return false
    try {
      const encoder = this.#encoder ?? this.#begin(to)
      const fill = (into: Uint8Array): number => encoder.datagram(bytes, into, 0, addressed ? to : undefined)
      this.#carrier.write(encoder.room(bytes.length), fill)?.catch(() => {})
      return true
    } catch {
      return false // an address that cannot be carried
    }
  }

  /** The first datagram says where the session goes to. */
  #begin(target: Address): FrameEncoder {
    const { globalId } = this.#options
    this.#encoder = new FrameEncoder(this.#session, { network: 'udp', target, ...(globalId && { globalId }) })
    this.#target = target
    return this.#encoder
  }

  keep(frame: Frame): DataUse {
    if (frame.malformed !== undefined) {
      this.#abort(new ProxyError('MUX_MALFORMED', `a datagram with ${frame.malformed}`))
      return 'skip'
    }
    this.#from = (this.#options.addressed ? frame.address : undefined) ?? this.#target
    if (!this.#answered && frame.dataLength > 0) {
      this.#answered = true
      this.#options.answered?.(frame.address !== undefined)
    }
    return this.#from ? 'whole' : 'skip'
  }

  data(lent: Uint8Array): void {
    const from = this.#from!
    if (this.#sink) this.#deliver(lent, from)
    else if (this.#heldBytes + lent.length > limits.muxDatagramsHeld) this.dropped++
    else {
      this.#held.push({ bytes: new Uint8Array(lent), from })
      this.#heldBytes += lent.length
    }
  }

  #deliver(lent: Uint8Array, from: Address): void {
    try {
      this.#sink?.(lent, from)
    } catch (error) {
      this.#settle?.(error)
    }
  }

  peerEnded(error: boolean): void {
    const what = error ? 'gave up' : 'ended'
    const why = new ProxyError(error ? 'CONN_RESET' : 'CONN_CLOSED', `the other side ${what} the datagrams`)
    this.lost(why, !error)
  }

  lost(why: ProxyError, orderly: boolean): void {
    if (this.#life.gone) return
    this.#ended = orderly
    if (orderly) this.#settle?.()
    this.#over(why)
  }

  destroy(why?: Error): void {
    this.#abort(why ?? new ProxyError('CONN_CLOSED', 'the datagrams of a sub-stream were ended'))
  }

  #abort(why: Error): void {
    if (this.#life.gone) return
    const encoder = this.#encoder
    if (encoder && !this.#options.alone) {
      this.#carrier.write(encoder.room(0), (into) => encoder.end(into, 0))?.catch(() => {})
    }
    this.#over(why)
  }

  #over(why: Error): void {
    if (this.#life.gone) return
    this.#carrier.detach(this.#session, this)
    if (!this.#ended) this.#forgetHeld()
    this.#settle?.(why)
    this.#life.end(why)
  }

  #forgetHeld(): void {
    this.#held = []
    this.#heldBytes = 0
  }
}

const isSame = (a: Address, b: Address): boolean => a === b || (a.host === b.host && a.port === b.port)
