/** Of a quota not a byte more passes, however many threads take from it at once. */
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { usedTrafficStride } from '../../src/app/workers/memory/used-traffic.ts'

const program = `
  const { workerData: { module, slot, threads, who, quota, rounds } } = require('node:worker_threads')
  import(module).then(({ UsedTraffic }) => {
    const { parentPort } = require('node:worker_threads')
    const stride = ${usedTrafficStride.toString()}
    const doubles = stride(threads)
    const gate = new Int32Array(slot, 0, 2)
    const passed = []
    for (let round = 0; round < rounds; round++) {
      const used = new UsedTraffic(new Float64Array(slot, 8 + 8 * doubles * round, doubles), who)
      // All begin at the same time.
      Atomics.add(gate, 0, 1)
      while (Atomics.load(gate, 0) < threads * (round + 1));
      let count = 0
      while (used.spend('uplink', 1) <= quota) count++
      passed.push(count)
    }
    parentPort.postMessage(passed)
  })`

it('is exact', async () => {
  const [threads, quota, rounds] = [2, 50, 300]
  const slot = new SharedArrayBuffer(8 + 8 * usedTrafficStride(threads) * rounds)
  const module = new URL('../../dist/app/workers/memory/used-traffic.js', import.meta.url).href
  const counts = await Promise.all(
    Array.from({ length: threads }, (_, who) => {
      const workerData = { module, slot, threads, who, quota, rounds }
      const worker = new Worker(program, { eval: true, workerData })
      return new Promise<number[]>((resolve, reject) => worker.on('message', resolve).on('error', reject))
    }),
  )
  for (let round = 0; round < rounds; round++) {
    const passed = counts.reduce((sum, of) => sum + of[round]!, 0)
    // Each batch that went beyond it was refused; so is one that saw the other's, which is the price of certainty.
    expect(passed).toBeLessThanOrEqual(quota)
    expect(passed).toBeGreaterThanOrEqual(quota - threads)
  }
})
