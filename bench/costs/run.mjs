// npm run costs: what a connection and a megabyte cost in memory, callbacks and calls of the system, against bounds.json. Counted, not
// timed, so that a busy machine says the same as a quiet one. Needs Linux and dist/. --write: bounds.json is made from this run.
import { readFileSync, writeFileSync } from 'node:fs'
import { twin } from '../../dist/crypto/twin.js'
import { blocks, connections, startEcho } from './loads.mjs'
import { withPair } from './pair.mjs'

const boundsFile = new URL('./bounds.json', import.meta.url)

/** What is not counted comes first: until V8 has compiled what it will. `units`: what a figure is per. */
const loads = [
  { per: 'connection', warmUp: 1_500, count: 100, units: 100, run: connections },
  {
    per: 'MB there and back',
    warmUp: 1_500,
    count: 250,
    units: 250 * 0.016,
    run: (port, n) => blocks(port, n, 16_000),
  },
]
/** Each with the digits that it is written with. Handles are what `async_hooks` calls resources, without promises. */
const figures = {
  memory: { heap: 0, buffers: 0 },
  calls: { handles: 1, promises: 1, callbacks: 1, reads: 1, writes: 1 },
}

/** By variant, load, end of the connection and figure. */
async function countAll() {
  const echo = await startEcho()
  const target = echo.address().port
  const variants = { plain: { twin: false, target } }
  if (twin()) variants['native twin'] = { twin: true, target }
  else console.log('native twin: not built, and so not counted')
  const all = Object.entries(variants).map(async ([name, options]) => [name, await withPair(options, count)])
  try {
    return Object.fromEntries(await Promise.all(all))
  } finally {
    echo.close()
  }
}

async function count({ port, client, server }) {
  const ends = { client, server }
  const counted = {}
  for (const { per, warmUp, count, units, run } of loads) {
    await run(port, warmUp)
    counted[per] = { client: {}, server: {} }
    for (const [what, digits] of Object.entries(figures)) {
      const before = await ask(ends, what)
      await run(port, count)
      const after = await ask(ends, 'both')
      for (const end of Object.keys(ends)) {
        if (what === 'memory' && after[end].collections > before[end].collections)
          throw new Error(`the ${end}'s memory cannot be counted: V8 has collected meanwhile`)
        for (const [figure, places] of Object.entries(digits))
          counted[per][end][figure] = Number(((after[end][figure] - before[end][figure]) / units).toFixed(places))
      }
    }
  }
  return counted
}

async function ask(ends, word) {
  const answers = Object.entries(ends).map(async ([name, end]) => [name, await end.ask(word)])
  return Object.fromEntries(await Promise.all(answers))
}

/** Above what was counted by a tenth, and by at least half of one call or 100 bytes. */
function bounded(per, figure, value) {
  if (figure in figures.calls) return Number(Math.max(value * 1.1, value + 0.5).toFixed(1))
  // What V8 compiles, and need not allocate then, varies a little with how the blocks come.
  const slack = figure === 'heap' && per.startsWith('MB') ? 1.25 : 1.1
  return Math.round(Math.max(value * slack, value + 100))
}

function writeBounds(counted) {
  const made = mapped(counted, (loads) =>
    mapped(loads, (ends, per) =>
      mapped(ends, (values) => mapped(values, (value, figure) => bounded(per, figure, value))),
    ),
  )
  // What cannot be counted here keeps its bounds.
  writeFileSync(boundsFile, `${JSON.stringify({ ...readBounds(), ...made }, null, 2)}\n`)
}

const readBounds = () => JSON.parse(readFileSync(boundsFile, 'utf8'))

const mapped = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value, name)]))

/** Prints each figure with its bound. */
function compare(counted, bounds) {
  let over = 0
  for (const [variant, loads] of Object.entries(counted)) {
    for (const [per, ends] of Object.entries(loads)) {
      for (const [end, values] of Object.entries(ends)) {
        const cells = Object.entries(values).map(([figure, value]) => {
          const most = bounds[variant][per][end][figure]
          if (value <= most) return `${figure} ${value}`
          over++
          return `${figure} ${value} (MORE than ${most})`
        })
        console.log(`${variant}, ${end}, per ${per}: ${cells.join(', ')}`)
      }
    }
  }
  if (over > 0)
    console.log(
      `\n${over} over the bounds of bench/costs/bounds.json. Intended? npm run costs -- --write, and say why in the commit.`,
    )
  return over === 0
}

const counted = await countAll()
if (process.argv.includes('--write')) writeBounds(counted)
else process.exitCode = compare(counted, readBounds()) ? 0 : 1
