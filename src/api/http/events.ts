/** Server-sent events: what happens to sessions, and every second the figures. */
import type { Control, ControlEvent } from '../../control/control.ts'
import { formatAddress } from '../../core/address.ts'
import type { Clock } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { sniffedName } from '../../core/session.ts'
import type { Sample, Traffic } from './traffic.ts'
import { iso, sessionJson } from './views.ts'

const encoder = new TextEncoder()

const encode = (event: string, data: object): Uint8Array =>
  encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)

/** Comments that keep proxies from closing a stream, in figures from one to the next. */
const heartbeatEvery = 15
const heartbeat = encoder.encode(': alive\n\n')
/** How soon a browser comes back, ms. */
const opening = encoder.encode('retry: 3000\n\n')

/** One reader. What it does not read in time is lost to it, and it is told how much. */
class EventStream {
  readonly readable: ReadableStream<Uint8Array>
  readonly withSessions: boolean
  #controller!: ReadableStreamDefaultController<Uint8Array>
  #lost = 0
  #ended = false

  constructor(withSessions: boolean, gone: (stream: EventStream) => void) {
    this.withSessions = withSessions
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        cancel: () => {
          this.#ended = true
          gone(this)
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: limits.controlStreamBuffer }),
    )
    this.#controller.enqueue(opening)
  }

  send(bytes: Uint8Array): void {
    if (this.#ended) return
    if ((this.#controller.desiredSize ?? 0) <= 0) {
      this.#lost++
      return
    }
    if (this.#lost > 0) this.#controller.enqueue(encode('lost', { events: this.#lost }))
    this.#lost = 0
    this.#controller.enqueue(bytes)
  }

  /** Keeps the stream open. Where there is no room something else does, and nothing is lost. */
  beat(): void {
    if (!this.#ended && (this.#controller.desiredSize ?? 0) > 0) this.#controller.enqueue(heartbeat)
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#controller.close()
  }
}

export class EventStreams {
  readonly #control: Control
  readonly #traffic: Traffic
  readonly #clock: Clock
  readonly #streams = new Set<EventStream>()
  /** How to leave the sources, once they are reached; while there are streams. */
  #leave: Promise<() => void> | undefined
  #ticks = 0

  constructor(control: Control, traffic: Traffic, clock: Clock) {
    this.#control = control
    this.#traffic = traffic
    this.#clock = clock
  }

  get size(): number {
    return this.#streams.size
  }

  /** Bytes for one reader, who cancels when it has enough; undefined when there are as many as permitted. */
  async open(withSessions: boolean): Promise<ReadableStream<Uint8Array> | undefined> {
    if (this.#streams.size >= limits.controlStreams) return undefined
    const stream = new EventStream(withSessions, (gone) => this.#remove(gone))
    this.#streams.add(stream)
    this.#leave ??= this.#watch()
    try {
      await this.#leave
    } catch (error) {
      this.#remove(stream)
      throw error
    }
    return stream.readable
  }

  close(): void {
    for (const stream of this.#streams) stream.end()
    this.#streams.clear()
    this.#unwatch()
  }

  #remove(stream: EventStream): void {
    this.#streams.delete(stream)
    if (this.#streams.size === 0) this.#unwatch()
  }

  #unwatch(): void {
    // What could not be reached need not be left; whoever waits for it is told.
    this.#leave?.then(
      (leave) => leave(),
      () => {},
    )
    this.#leave = undefined
  }

  async #watch(): Promise<() => void> {
    const unwatch = await this.#control.watch((event) => {
      const bytes = encode('session', eventJson(event, this.#clock.now()))
      for (const stream of this.#streams) stream.send(bytes)
    })
    const stop = await this.#traffic.watch((sample) => this.#tick(sample))
    return () => {
      unwatch()
      stop()
    }
  }

  async #tick(sample: Sample): Promise<void> {
    const figures = await figuresJson(sample, this.#control)
    let plain: Uint8Array | undefined
    let full: Uint8Array | undefined
    this.#ticks++
    for (const stream of this.#streams) {
      if (stream.withSessions) {
        full ??= encode('figures', { ...figures, ...listed(sample) })
        stream.send(full)
      } else {
        plain ??= encode('figures', figures)
        stream.send(plain)
      }
      if (this.#ticks % heartbeatEvery === 0) stream.beat()
    }
  }
}

export async function figuresJson({ at, sessions, totals, speed, users }: Sample, control: Control) {
  const [{ connections }, used] = await Promise.all([control.status(), control.usage([...users.keys()])])
  return {
    time: iso(at),
    connections,
    sessions: sessions.length,
    totals: { ...totals },
    speed: { ...speed },
    users: [...users].map(([email, of], i) => ({
      email,
      used: { uplink: 0, downlink: 0, ...used[i] },
      speed: { ...of.speed },
      sessions: of.sessions,
    })),
  }
}

/** The newest sessions, and how many more there are. */
function listed({ sessions, speeds }: Sample) {
  const newest = sessions.slice(-limits.controlListedSessions)
  const none = { uplink: 0, downlink: 0 }
  return {
    live: newest.map((session) => sessionJson(session, speeds.get(session.id) ?? none)),
    more: sessions.length - newest.length,
  }
}

export function eventJson(event: ControlEvent, now: number) {
  const time = iso(now)
  if (event.type === 'refused') {
    const { type, inbound, source, email, reason } = event
    return { type, time, inbound, source, email, reason }
  }
  const sniffed = sniffedName(event.session)
  const { id, inboundTag, outboundTag, rule, user, source, network, target, encoding, startedAt } = event.session
  return {
    type: event.type,
    time,
    id,
    inbound: inboundTag,
    outbound: outboundTag ?? '',
    ...(rule !== undefined && { rule }),
    email: user.email,
    source,
    target: formatAddress(target),
    ...(sniffed !== undefined && { sniffed }),
    network,
    ...(encoding !== undefined && { encoding }),
    startedAt: iso(startedAt),
    ...('totals' in event && { totals: { ...event.totals } }),
    ...('reason' in event && event.reason !== '' && { reason: event.reason }),
  }
}
