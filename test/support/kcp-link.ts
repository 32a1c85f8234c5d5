import type { Random } from '../../src/core/env.ts'
import { KcpSession } from '../../src/protocol/kcp/session.ts'
import { type KcpSizes, kcpSizes } from '../../src/protocol/kcp/sizes.ts'
import { fakeRandom } from '../../src/testing/fakes.ts'

export interface LossyLinkOptions {
  readonly lossPercent: number
  readonly delayMs: number
  readonly jitterMs?: number
  readonly copyPercent?: number
  readonly seed: number
  readonly sizes?: Partial<KcpSizes>
}

interface Underway {
  readonly dueMs: number
  readonly to: End
  readonly bytes: Uint8Array
}

/** One end: reads whatever comes while `reading`. */
class End {
  reading = true
  /** How often the session was called because it wanted to be. */
  turns = 0
  readonly received: number[] = []
  readonly session: KcpSession
  readonly #now: () => number

  constructor(session: KcpSession, now: () => number) {
    this.session = session
    this.#now = now
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.received)
  }

  write(bytes: Uint8Array): void {
    this.session.write(bytes, this.#now())
  }

  close(): void {
    this.session.close(this.#now())
  }

  step(): void {
    const now = this.#now()
    if (now >= this.session.nextAt) {
      this.turns++
      this.session.turn(now)
    }
    if (!this.reading) return
    for (let next = this.session.read(now); next; next = this.session.read(now)) {
      for (const byte of next.bytes) this.received.push(byte)
      next.release()
    }
  }
}

/** Two sessions over a link that loses, delays and repeats datagrams, the same ones for the same seed; time goes by run() alone. */
export function lossyLink({ lossPercent, delayMs, jitterMs = 0, copyPercent = 0, seed, sizes }: LossyLinkOptions) {
  const random: Random = fakeRandom(seed)
  let now = 0
  let sent = 0
  let lent = 0
  let underway: Underway[] = []
  const take = (size: number) => {
    lent++
    return { bytes: new Uint8Array(size), release: () => void lent-- }
  }
  const usual = kcpSizes(
    {
      mtu: 1350,
      ttiMs: 50,
      sendCapacity: 5,
      receiveCapacity: 20,
      congestion: false,
      writeBuffer: 2 << 20,
      readBuffer: 2 << 20,
    },
    6,
  )
  const endOf = (peer: () => End): End => {
    const emit = (segment: Uint8Array): void => {
      sent++
      const copies = random.below(100) < copyPercent ? 2 : 1
      for (let i = 0; i < copies; i++) {
        if (random.below(100) < lossPercent) continue
        underway.push({ dueMs: now + delayMs + random.below(jitterMs + 1), to: peer(), bytes: segment.slice() })
      }
    }
    return new End(new KcpSession({ conv: 1, sizes: { ...usual, ...sizes }, nowMs: 0, take, emit }), () => now)
  }
  const a: End = endOf(() => b)
  const b: End = endOf(() => a)
  return {
    a,
    b,
    random,
    get sent() {
      return sent
    },
    /** Buffers that sessions hold. */
    lentOut: () => lent,
    /** Lets `ms` pass, or less when it is done. */
    run(ms: number, done: () => boolean = () => false): void {
      for (const until = now + ms; now < until && !done(); now += 2) {
        const due = underway.filter(({ dueMs }) => dueMs <= now)
        underway = underway.filter(({ dueMs }) => dueMs > now)
        for (const { to, bytes } of due) to.session.input(bytes, now)
        a.step()
        b.step()
      }
    },
  }
}
