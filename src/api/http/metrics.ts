/** Figures for Prometheus, read from the control at each scrape. */
import { performance } from 'node:perf_hooks'
import { Counter, Gauge, Registry } from 'prom-client'
import type { Control, InboundView, StatusView } from '../../control/control.ts'
import type { Clock } from '../../core/env.ts'
import type { EndingCount } from '../../stats/endings.ts'
import type { HandshakeCount } from '../../stats/handshakes.ts'
import { manyText } from './metrics-of-many.ts'

type Rows = Iterable<readonly [labels: Record<string, string>, value: number]>

export interface Metrics {
  /** Prometheus text, in pieces. The first comes when everything is known that can fail. */
  pieces(): AsyncGenerator<string>
  readonly contentType: string
}

/** What one scrape shows, read once for all the metrics. */
interface Figures {
  readonly status: StatusView
  readonly inbounds: readonly InboundView[]
  readonly handshakes: readonly HandshakeCount[]
  readonly endings: readonly EndingCount[]
}

async function figuresOf(control: Control): Promise<Figures> {
  const [status, inbounds, handshakes, endings] = await Promise.all([
    control.status(),
    control.inbounds(),
    control.handshakes(),
    control.endings(),
  ])
  return { status, inbounds, handshakes, endings }
}

export function createMetrics(control: Control, clock: Clock): Metrics {
  let now: Figures
  const registry = new Registry()
  const define =
    (Kind: typeof Gauge | typeof Counter): Define =>
    (name, help, labelNames, rows) => {
      new Kind({
        name,
        help,
        labelNames,
        registers: [registry],
        collect() {
          this.reset()
          for (const [labels, value] of rows()) this.inc(labels, value)
        },
      })
    }
  const gauge = define(Gauge)
  const counter = define(Counter)
  const one = (value: number): Rows => [[{}, value]]

  gauge('vmess_up', '1 while the instance is ready, else 0.', [], () => one(now.status.ready ? 1 : 0))
  gauge('vmess_build_info', 'Always 1; the label says which version runs.', ['version'], () => [
    [{ version: now.status.version }, 1],
  ])
  gauge('vmess_start_time_seconds', 'When it was started, in seconds since the epoch.', [], () =>
    one(now.status.startedAt / 1000),
  )
  gauge('vmess_connections', 'Client connections in progress.', ['inbound'], () =>
    summed(now.inbounds.map(({ tag, connections }) => [tag, connections])),
  )
  gauge('vmess_sessions', 'Sessions in progress.', [], () => one(now.status.sessions))
  gauge('vmess_users', 'Users with an e-mail.', [], () => one(now.status.users))
  counter('vmess_handshakes_total', 'What became of handshakes.', ['inbound', 'outcome', 'reason'], function* () {
    for (const { inboundTag, outcome, reason, count } of now.handshakes) {
      yield [{ inbound: inboundTag, outcome, reason }, count]
    }
  })
  counter('vmess_sessions_ended_total', 'Sessions that ended before their time.', ['inbound', 'reason'], function* () {
    for (const { inboundTag, reason, count } of now.endings) yield [{ inbound: inboundTag, reason }, count]
  })
  addProcessMetrics(gauge, counter)
  return {
    contentType: registry.contentType,
    async *pieces() {
      now = await figuresOf(control)
      yield await registry.metrics()
      // The library writes all of a metric at once: what there is of every user is written beside it, in slices.
      yield* manyText(control, clock)
    },
  }
}

type Define = (name: string, help: string, labelNames: string[], rows: () => Rows) => void

function addProcessMetrics(gauge: Define, counter: Define): void {
  gauge('process_resident_memory_bytes', 'Resident memory.', [], () => [[{}, process.memoryUsage.rss()]])
  gauge('nodejs_heap_used_bytes', 'Heap in use, of the main thread.', [], () => [[{}, process.memoryUsage().heapUsed]])
  counter('process_cpu_seconds_total', 'User and system time.', [], () => {
    const { user, system } = process.cpuUsage()
    return [[{}, (user + system) / 1e6]]
  })
  counter(
    'nodejs_eventloop_seconds_total',
    'Time of the event loop of the main thread, active and idle.',
    ['state'],
    () => {
      const { active, idle } = performance.eventLoopUtilization()
      return [
        [{ state: 'active' }, active / 1000],
        [{ state: 'idle' }, idle / 1000],
      ]
    },
  )
}

/** Inbounds without a tag share one row. */
function summed(rows: readonly (readonly [tag: string, value: number])[]): Rows {
  const sums = new Map<string, number>()
  for (const [tag, value] of rows) sums.set(tag, (sums.get(tag) ?? 0) + value)
  return [...sums].map(([inbound, value]) => [{ inbound }, value] as const)
}
