import type { Address } from '../../core/address.ts'
import { rootInfo } from '../../core/conn.ts'
import type { PacketConn, PacketInfo, PacketSink } from '../../core/datagrams/packet.ts'
import type { Cancel } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { Life } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { FrameEncoder } from '../../protocol/mux/frame-encoder.ts'
import type { DataUse, Frame } from '../../protocol/mux/model.ts'
import { type Carrier, holdDefault, type Substream } from './carrier.ts'
import type { Fill } from './frame-batch.ts'

export interface MuxPacketOptions {
  /** Keep frames carry addresses: one session for many destinations. Else all datagrams go to, and come from, one. */
  readonly addressed: boolean
  /** What the other side speaks, where it is known; else by `addressed`. */
  readonly encoding?: 'mux' | 'xudp'
  /** At a server: what New asked for. At a client the first datagram decides. */
  readonly target?: Address
  /** Names the client's socket in New, 8 bytes. */
  readonly globalId?: Uint8Array
  /** The carrier was opened for this session alone: it is ended by ending the carrier, and End is never sent. */
  readonly alone?: boolean
  /** Called with the first answer: whether it says where it comes from. */
  readonly answered?: (sourced: boolean) => void
  /** Called with the first frame of the other side, of whatever kind: it knows Mux.Cool. */
  readonly spoke?: () => void
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
  #sink: PacketSink | undefined
  #settle: ((error?: unknown) => void) | undefined
  #held: Held[] = []
  #heldBytes = 0
  #answered = false
  #spoken = false
  /** Our side has finished. */
  #closing: Promise<void> | undefined
  /** The other side has finished, in order. */
  #ended = false

  constructor(carrier: Carrier, session: number, options: MuxPacketOptions) {
    this.#carrier = carrier
    this.#session = session
    this.#options = options
    this.#target = options.target
    if (options.target) this.#encoder = new FrameEncoder(session)
    const { remote, local, layers, level } = carrier.info
    this.info = {
      remote,
      local,
      largest: limits.muxDatagramMax,
      encoding: options.encoding ?? (options.addressed ? 'xudp' : 'mux'),
      layers: [...layers, 'mux'],
      ...(level !== undefined && { level }),
      carrier: rootInfo(carrier.info),
    }
  }

  get gone(): Error | undefined {
    return this.#life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#life.onGone(run)
  }

  drainTo(sink: PacketSink): Promise<void> {
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
    const sent = !this.#life.gone && !this.#closing && this.#carry(bytes, to)
    if (!sent) this.dropped++
    return sent
  }

  #carry(bytes: Uint8Array, to: Address): boolean {
    if (bytes.length === 0 || bytes.length > this.info.largest || this.#carrier.congested) return false
    const { addressed } = this.#options
    if (!addressed && this.#target && !isSame(this.#target, to)) return false
    try {
      const encoder = this.#encoder ?? this.#begin(to)
      const fill: Fill = (into, at) => encoder.datagram(bytes, into, at, addressed ? to : undefined)
      this.#carrier.writeSoon(encoder.room(bytes.length), fill)
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
    this.#noteFrame()
    if (frame.malformed !== undefined) {
      this.destroy(new ProxyError('MUX_MALFORMED', `a datagram with ${frame.malformed}`))
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
    else if (this.#heldBytes + lent.length <= limits.muxDatagramsHeld) {
      this.#held.push({ bytes: new Uint8Array(lent), from })
      this.#heldBytes += lent.length
    }
  }

  #noteFrame(): void {
    if (this.#spoken) return
    this.#spoken = true
    this.#options.spoke?.()
  }

  #deliver(lent: Uint8Array, from: Address): void {
    try {
      this.#sink?.(lent, from)
    } catch (error) {
      this.#settle?.(error)
    }
  }

  peerEnded(error: boolean): void {
    this.#noteFrame()
    const why = new ProxyError('CONN_RESET', 'the other side gave the datagrams up')
    // Behind an End of ours an error is only V2Ray's and Xray's way to say that it is over.
    if (error && !this.#closing) return void this.#over(why)
    if (this.#ended || error) return void this.lost(why, true)
    this.#ended = true
    this.#settle?.()
    if (this.#closing) this.#over(why)
  }

  lost(why: ProxyError, orderly: boolean): void {
    if (this.#life.gone) return
    if (orderly) {
      this.#ended = true
      this.#settle?.()
    }
    this.#over(why)
  }

  closeWrite(): void | Promise<void> {
    this.#closing ??= this.#life.gone ? Promise.resolve() : this.#end()
    return this.#closing
  }

  /** Settles when End is handed to the carrier, if there is anybody to be told. */
  #end(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#life.onGone(() => resolve())
      const done = (): void => {
        cancel()
        resolve()
      }
      if (!this.#sendEnd(false, done)) done()
      if (this.#ended) this.#over(new ProxyError('CONN_CLOSED', 'both sides have ended the datagrams'))
    })
  }

  destroy(why: Error = new ProxyError('CONN_CLOSED', 'the datagrams of a sub-stream were ended')): void {
    if (this.#life.gone) return
    this.#sendEnd(!this.#closing && !this.#ended)
    this.#over(why)
  }

  /** False where there is nothing to be said: New was not sent, or the end of the carrier says it. */
  #sendEnd(error: boolean, done?: () => void): boolean {
    const encoder = this.#encoder
    if (!encoder || this.#options.alone) return false
    this.#carrier.write(encoder.room(0), (into, at) => encoder.end(into, at, error), done)?.catch(() => {})
    return true
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
