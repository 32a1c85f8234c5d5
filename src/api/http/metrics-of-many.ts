/** Metrics that have a row for every user or counter, in the text format of Prometheus, written in slices. */
import type { Control, CounterView, UserView } from '../../control/control.ts'
import type { Clock } from '../../core/env.ts'
import { pauses } from '../../core/time/slices.ts'

type Kind = 'gauge' | 'counter'
type Pause = ReturnType<typeof pauses>

/** Rows of one thing: label pairs, already written, and a value. Nothing when it has none. */
type RowsOf<T> = (thing: T) => string

export async function* manyText(control: Control, clock: Clock): AsyncGenerator<string> {
  const counters = await control.counters()
  const users = (await control.users()).filter(({ email }) => email !== '')
  const pause = pauses(clock)
  yield* metric(
    pause,
    'counter',
    'vmess_traffic_bytes_total',
    'Plaintext bytes carried, by user, inbound and outbound. Each byte counts for each of them.',
    counters,
    trafficRow,
  )
  yield* metric(
    pause,
    'gauge',
    'vmess_user_used_bytes',
    'Plaintext bytes that count against the quota. Falls to 0 when that is reset.',
    users,
    ({ email, used }: UserView) => {
      const label = labelText(email)
      const row = (direction: 'uplink' | 'downlink') =>
        `vmess_user_used_bytes{email="${label}",direction="${direction}"} ${used[direction]}\n`
      return row('uplink') + row('downlink')
    },
  )
  yield* metric(
    pause,
    'gauge',
    'vmess_user_quota_bytes',
    'Quota of users who have one.',
    users,
    ({ email, limits }: UserView) =>
      limits.quota > 0 ? `vmess_user_quota_bytes{email="${labelText(email)}"} ${limits.quota}\n` : '',
  )
  yield* metric(
    pause,
    'gauge',
    'vmess_user_connections',
    'Connections of a user in progress.',
    users,
    ({ email, connections }: UserView) => `vmess_user_connections{email="${labelText(email)}"} ${connections}\n`,
  )
}

/** Rows of so many are one piece of text: some ten kilobytes, made in well under a millisecond. */
const pieceLength = 128

/** A metric in pieces. Whoever reads them slowly gets them slowly; between two of them everybody else has their turn. */
async function* metric<T>(
  pause: Pause,
  kind: Kind,
  name: string,
  help: string,
  things: readonly T[],
  rows: RowsOf<T>,
): AsyncGenerator<string> {
  yield `\n# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`
  for (let i = 0; i < things.length; i += pieceLength) {
    yield things
      .slice(i, i + pieceLength)
      .map(rows)
      .join('')
    await pause()
  }
}

/** V2Ray's names, `user>>>EMAIL>>>traffic>>>uplink`, taken apart. */
function trafficRow({ name: text, value }: CounterView): string {
  const parts = text.split('>>>')
  const direction = parts.at(-1)
  if (parts.length < 4 || parts.at(-2) !== 'traffic' || direction === undefined) return ''
  const name = parts.slice(1, -2).join('>>>')
  const labels = `owner="${labelText(parts[0]!)}",name="${labelText(name)}",direction="${labelText(direction)}"`
  return `vmess_traffic_bytes_total{${labels}} ${value}\n`
}

const labelText = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
