/** Figures for Prometheus, read from the control at each scrape. */
import { performance } from 'node:perf_hooks'
import { Counter, Gauge, Registry } from 'prom-client'
import type { Control, CounterView, InboundView, StatusView, UserView } from '../../control/control.ts'
import type { EndingCount } from '../../stats/endings.ts'
import type { HandshakeCount } from '../../stats/handshakes.ts'

type Rows = Iterable<readonly [labels: Record<string, string>, value: number]>

export interface Metrics {
  /** Prometheus text. */
  text(): Promise<string>
  readonly contentType: string
}

/** What one scrape shows, read once for all the metrics. */
interface Figures {
  readonly status: StatusView
  readonly counters: readonly CounterView[]
  readonly inbounds: readonly InboundView[]
  readonly handshakes: readonly HandshakeCount[]
  readonly endings: readonly EndingCount[]
  /** Those with an e-mail. */
  readonly users: readonly UserView[]
}

async function figuresOf(control: Control): Promise<Figures> {
  const [status, counters, inbounds, handshakes, endings, users] = await Promise.all([
    control.status(),
    control.counters(),
    control.inbounds(),
    control.handshakes(),
    control.endings(),
    control.users(),
  ])
  return { status, counters, inbounds, handshakes, endings, users: users.filter(({ email }) => email !== '') }
}

export function createMetrics(control: Control): Metrics {
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
  counter(
    'vmess_traffic_bytes_total',
    'Plaintext bytes carried, by user, inbound and outbound. Each byte counts for each of them.',
    ['owner', 'name', 'direction'],
    () => traffic(now.counters),
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
  addUserMetrics(() => now.users, gauge)
  addProcessMetrics(gauge, counter)
  return {
    contentType: registry.contentType,
    async text() {
      now = await figuresOf(control)
      return registry.metrics()
    },
  }
}

type Define = (name: string, help: string, labelNames: string[], rows: () => Rows) => void

function addUserMetrics(users: () => readonly UserView[], gauge: Define): void {
  gauge(
    'vmess_user_used_bytes',
    'Plaintext bytes that count against the quota. Falls to 0 when that is reset.',
    ['email', 'direction'],
    () =>
      users().flatMap(({ email, used }) => [
        [{ email, direction: 'uplink' }, used.uplink] as const,
        [{ email, direction: 'downlink' }, used.downlink] as const,
      ]),
  )
  gauge('vmess_user_quota_bytes', 'Quota of users who have one.', ['email'], () =>
    users().flatMap(({ email, limits }) => (limits.quota > 0 ? [[{ email }, limits.quota] as const] : [])),
  )
  gauge('vmess_user_connections', 'Connections of a user in progress.', ['email'], () =>
    users().map(({ email, connections }) => [{ email }, connections] as const),
  )
}

function addProcessMetrics(gauge: Define, counter: Define): void {
  gauge('process_resident_memory_bytes', 'Resident memory.', [], () => [[{}, process.memoryUsage.rss()]])
  gauge('nodejs_heap_used_bytes', 'Heap in use.', [], () => [[{}, process.memoryUsage().heapUsed]])
  counter('process_cpu_seconds_total', 'User and system time.', [], () => {
    const { user, system } = process.cpuUsage()
    return [[{}, (user + system) / 1e6]]
  })
  counter('nodejs_eventloop_seconds_total', 'Time of the event loop, active and idle.', ['state'], () => {
    const { active, idle } = performance.eventLoopUtilization()
    return [
      [{ state: 'active' }, active / 1000],
      [{ state: 'idle' }, idle / 1000],
    ]
  })
}

/** V2Ray's names, `user>>>EMAIL>>>traffic>>>uplink`, taken apart. */
function* traffic(counters: readonly CounterView[]): Rows {
  for (const { name, value } of counters) {
    const parts = name.split('>>>')
    const direction = parts.at(-1)
    if (parts.length < 4 || parts.at(-2) !== 'traffic' || direction === undefined) continue
    yield [{ owner: parts[0]!, name: parts.slice(1, -2).join('>>>'), direction }, value]
  }
}

/** Inbounds without a tag share one row. */
function summed(rows: readonly (readonly [tag: string, value: number])[]): Rows {
  const sums = new Map<string, number>()
  for (const [tag, value] of rows) sums.set(tag, (sums.get(tag) ?? 0) + value)
  return [...sums].map(([inbound, value]) => [{ inbound }, value] as const)
}
