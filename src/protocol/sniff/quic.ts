import { helloLength, serverNameOf } from './client-hello.ts'
import { usableName, type Verdict } from './model.ts'
import { QuicBytes, quicPacket } from './quic-packet.ts'

const padding = 0
const ping = 1
const ack = 2
const ackWithEcn = 3
const crypto = 6
const close = 0x1c

/** The longest hello that is looked for, bytes. */
const helloMax = 32_768

/** The first datagrams of a client, for the ClientHello in its Initial packets: in any order, in as many as it takes. */
export class QuicSniffer {
  /** What CRYPTO frames brought, at its place; missing parts are zero. */
  #hello: Uint8Array = new Uint8Array(0)
  /** Bytes from the start up to the highest that came. */
  #length = 0
  /** Which bytes came, as ranges that neither overlap nor touch, in order. */
  #ranges: readonly (readonly [number, number])[] = []

  push(datagram: Uint8Array): Verdict {
    for (let at = 0; at < datagram.length; ) {
      const packet = quicPacket(datagram, at)
      // Bytes behind a good packet are nobody's: the peers' padding looks like this.
      if (typeof packet === 'string') return at > 0 && packet === 'no' ? 'undecided' : packet
      if (packet.frames && !this.#read(new QuicBytes(packet.frames))) return 'no'
      const verdict = packet.frames ? this.#verdict() : 'undecided'
      if (verdict !== 'undecided') return verdict
      at = packet.end
    }
    return 'undecided'
  }

  /** False for frames that no Initial of a client has. */
  #read(frames: QuicBytes): boolean {
    while (frames.left > 0) {
      const type = frames.varint()
      if (type === padding || type === ping) continue
      const good =
        type === crypto
          ? this.#crypto(frames)
          : type === ack || type === ackWithEcn
            ? skipAck(frames, type === ackWithEcn)
            : type === close && skipClose(frames)
      if (!good) return false
    }
    return true
  }

  #crypto(frames: QuicBytes): boolean {
    const offset = frames.varint()
    const bytes = frames.take(frames.varint())
    if (offset === undefined || !bytes || offset + bytes.length > helloMax) return false
    const end = offset + bytes.length
    if (end > this.#hello.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#hello.length))
      grown.set(this.#hello)
      this.#hello = grown
    }
    this.#hello.set(bytes, offset)
    this.#length = Math.max(this.#length, end)
    if (bytes.length > 0) this.#ranges = withRange(this.#ranges, offset, end)
    return true
  }

  #verdict(): Verdict {
    const [first] = this.#ranges
    if (!first || first[0] > 0) return 'undecided' // the beginning is still under way
    const length = helloLength(this.#hello.subarray(0, Math.min(first[1], this.#length)))
    if (length === 'no' || (length !== undefined && length > helloMax)) return 'no'
    if (length === undefined || this.#length < length) return 'undecided'
    // A hole elsewhere does not matter.
    const name = serverNameOf(this.#hello.subarray(0, length))
    const whole = first[1] >= length
    if (name === undefined || name.endsWith('.')) return whole ? 'no' : 'undecided'
    const domain = usableName(name)
    return domain || whole ? { protocol: 'quic', domain } : 'undecided'
  }
}

function withRange(
  ranges: readonly (readonly [number, number])[],
  from: number,
  to: number,
): readonly (readonly [number, number])[] {
  const apart = ranges.filter(([a, b]) => b < from || a > to)
  const touching = ranges.filter(([a, b]) => b >= from && a <= to)
  const merged = [Math.min(from, ...touching.map(([a]) => a)), Math.max(to, ...touching.map(([, b]) => b))] as const
  return [...apart, merged].sort(([a], [b]) => a - b)
}

function skipAck(frames: QuicBytes, ecn: boolean): boolean {
  frames.varint()
  frames.varint()
  const more = frames.varint()
  if (more === undefined || more > frames.left) return false
  let last = frames.varint()
  for (let i = 0; i < 2 * more + (ecn ? 3 : 0); i++) last = frames.varint()
  return last !== undefined
}

function skipClose(frames: QuicBytes): boolean {
  frames.varint()
  frames.varint()
  return frames.take(frames.varint()) !== undefined
}
