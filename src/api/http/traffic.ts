/** How fast bytes pass: sampled once a second, while somebody wants to know. */
import type { Control, ControlEvent, SessionView } from '../../control/control.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import type { Totals } from '../../core/session.ts'

/** Plaintext bytes per second. */
export type Speed = Readonly<Totals>

export interface Sample {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly sessions: readonly SessionView[]
  /** By id of the session. */
  readonly speeds: ReadonlyMap<number, Speed>
  /** Everything carried since the API was started, sessions in progress included. */
  readonly totals: Readonly<Totals>
  readonly speed: Speed
  /** Those who carried something since the last sample, or have a session. */
  readonly users: ReadonlyMap<string, { readonly speed: Speed; readonly sessions: number }>
}

const periodMs = 1_000
/** How long sampling goes on after a question. */
const askedMs = 10_000

const nothing: Readonly<Totals> = { uplink: 0, downlink: 0 }

export class Traffic {
  readonly #control: Control
  readonly #clock: Clock
  readonly #listeners = new Set<(sample: Sample) => void>()
  readonly #unwatch: () => void
  /** Of sessions that have ended. */
  readonly #ended: Totals = { uplink: 0, downlink: 0 }
  /** What ended sessions carried since the last sample, by e-mail. */
  readonly #late = new Map<string, Totals>()
  #before: ReadonlyMap<number, Readonly<Totals>> = new Map()
  #speeds: ReadonlyMap<number, Speed> = new Map()
  #sampledAt = 0
  #wantedUntil = 0
  #timer: Cancel | undefined

  constructor(control: Control, clock: Clock) {
    this.#control = control
    this.#clock = clock
    this.#unwatch = control.watch((event) => this.#tell(event))
  }

  /** Calls `listener` with every sample, once a second; returns how to stop. */
  watch(listener: (sample: Sample) => void): () => void {
    this.#listeners.add(listener)
    this.#start()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0 && this.#clock.elapsed() >= this.#wantedUntil) this.#stop()
    }
  }

  /** Speed of a session in the last second; if that was not sampled, its average since it began. Sampling starts with it. */
  speedOf({ id, totals, startedAt }: SessionView): Speed {
    this.#wantedUntil = this.#clock.elapsed() + askedMs
    this.#start()
    const seconds = Math.max(1, (this.#clock.elapsed() - startedAt) / 1000)
    return this.#speeds.get(id) ?? perSecond(totals, seconds)
  }

  close(): void {
    this.#unwatch()
    this.#listeners.clear()
    this.#stop()
  }

  #tell(event: ControlEvent): void {
    if (event.type !== 'closed') return
    add(this.#ended, event.totals)
    if (!this.#timer) return
    const { id, user } = event.session
    const late = this.#late.get(user.email) ?? { ...nothing }
    add(late, less(event.totals, this.#before.get(id) ?? nothing))
    this.#late.set(user.email, late)
  }

  #start(): void {
    if (this.#timer) return
    this.#before = new Map(this.#control.sessions().map(({ id, totals }) => [id, totals]))
    this.#sampledAt = this.#clock.elapsed()
    this.#timer = this.#clock.after(periodMs, () => this.#tick())
  }

  #stop(): void {
    this.#timer?.()
    this.#timer = undefined
    this.#before = new Map()
    this.#speeds = new Map()
    this.#late.clear()
  }

  #tick(): void {
    if (this.#listeners.size === 0 && this.#clock.elapsed() >= this.#wantedUntil) {
      this.#stop()
      return
    }
    this.#timer = this.#clock.after(periodMs, () => this.#tick())
    const sample = this.#sample()
    for (const listener of this.#listeners) listener(sample)
  }

  #sample(): Sample {
    const at = this.#clock.elapsed()
    // A clock that was set back, or a loop that was held up, must not make speeds out of nothing.
    const seconds = at > this.#sampledAt ? (at - this.#sampledAt) / 1000 : periodMs / 1000
    const sessions = this.#control.sessions()
    const before = new Map<number, Readonly<Totals>>()
    const speeds = new Map<number, Speed>()
    const totals = { ...this.#ended }
    const moved = { ...nothing }
    const users = new Map<string, { moved: Totals; sessions: number }>()
    const user = (email: string) => {
      const known = users.get(email) ?? { moved: { ...nothing }, sessions: 0 }
      users.set(email, known)
      return known
    }
    for (const [email, late] of this.#late) {
      add(moved, late)
      add(user(email).moved, late)
    }
    for (const session of sessions) {
      const since = less(session.totals, this.#before.get(session.id) ?? nothing)
      before.set(session.id, session.totals)
      speeds.set(session.id, perSecond(since, seconds))
      add(totals, session.totals)
      add(moved, since)
      const of = user(session.email)
      of.sessions++
      add(of.moved, since)
    }
    this.#late.clear()
    this.#before = before
    this.#speeds = speeds
    this.#sampledAt = at
    const withSpeed = [...users].map(
      ([email, { moved, sessions }]) => [email, { speed: perSecond(moved, seconds), sessions }] as const,
    )
    return { at, sessions, speeds, totals, speed: perSecond(moved, seconds), users: new Map(withSpeed) }
  }
}

function add(to: Totals, more: Readonly<Totals>): void {
  to.uplink += more.uplink
  to.downlink += more.downlink
}

const less = (a: Readonly<Totals>, b: Readonly<Totals>): Totals => ({
  uplink: a.uplink - b.uplink,
  downlink: a.downlink - b.downlink,
})

const perSecond = ({ uplink, downlink }: Readonly<Totals>, seconds: number): Speed => ({
  uplink: Math.round(uplink / seconds),
  downlink: Math.round(downlink / seconds),
})
