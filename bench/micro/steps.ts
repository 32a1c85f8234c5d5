/**
 * What each step of a connection costs by itself, without sockets, named as in `src/`: nanoseconds per operation, medians. Tinybench
 * repeats a task and measures each time; a task here is a hundred operations, because a clock that is read costs about as much as the
 * smallest of them.
 */
import { Bench } from 'tinybench'
import { handshake } from './steps/handshake.ts'
import { payload } from './steps/payload.ts'
import { routing } from './steps/routing.ts'
import { users } from './steps/users.ts'

/** Operations of one task. */
const batch = 100
const word = process.argv.slice(2).find((argument) => !argument.startsWith('--') && argument !== 'steps') ?? ''

const bench = new Bench({ time: 300, iterations: 10, warmupTime: 150, warmupIterations: 3 })
for (const { at, what, run } of [...handshake(), ...payload(), ...users(), ...routing()]) {
  const name = `${at}: ${what}`
  if (name.includes(word)) bench.add(name, () => repeat(run))
}
await bench.run()

const rows = bench.tasks.map(({ name, result }) => {
  if (result.state !== 'completed')
    throw new Error(`${name}: ${result.state}`, { cause: 'error' in result && result.error })
  return { name, nanoseconds: (result.latency.p50 * 1e6) / batch, spread: result.latency.rme }
})
if (process.argv.includes('--json')) console.log(JSON.stringify(rows, null, 1))
else {
  const width = Math.max(...rows.map(({ name }) => name.length))
  console.log(`${''.padEnd(width)}       ns/op     ±`)
  for (const { name, nanoseconds, spread } of rows) {
    console.log(
      `${name.padEnd(width)}  ${nanoseconds.toFixed(nanoseconds < 100 ? 1 : 0).padStart(10)}  ${spread.toFixed(1).padStart(4)} %`,
    )
  }
}

function repeat(run: () => unknown): void {
  for (let i = 0; i < batch; i++) run()
}
