// Loaded into the command before it starts (node --import): answers with what the process has used so far, whenever its parent asks.
// While memory is counted V8 does not collect: what is alive then grows by exactly what is allocated.
import { createHook } from 'node:async_hooks'
import { readFileSync } from 'node:fs'
import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'

let collections = 0
new PerformanceObserver((list) => {
  collections += list.getEntries().length
}).observe({ entryTypes: ['gc'] })

const counts = { handles: 0, promises: 0, callbacks: 0 }
const hook = createHook({
  init(_id, type) {
    if (type === 'PROMISE') counts.promises++
    else counts.handles++
  },
  before() {
    counts.callbacks++
  },
})

const systemCalls = () => {
  const [, reads, writes] = /syscr: (\d+)\nsyscw: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))
  return { reads: Number(reads), writes: Number(writes) }
}

process.on('message', async (asked) => {
  if (asked === 'memory') {
    hook.disable()
    globalThis.gc()
    // The observer hears of it a turn later.
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  // It costs memory itself.
  if (asked === 'calls') hook.enable()
  const { arrayBuffers: buffers } = process.memoryUsage()
  const { used_heap_size: heap } = getHeapStatistics()
  process.send({ heap, buffers, collections, ...counts, ...systemCalls() })
})
// The command ends when it is told to, whether or not its parent listens.
process.channel.unref()
