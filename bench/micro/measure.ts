const rounds = 5
/** Long enough for the collector to take its part. */
const measureMs = 120

/** The best round: CPU seconds and GB per second. The work is repeated with the bytes that one call handles. */
export function measure(bytes: number, run: () => void): { cpu: number; rate: number } {
  for (let i = 0; i < 300; i++) run()
  let best = { cpu: Number.POSITIVE_INFINITY, rate: 0 }
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    const before = process.cpuUsage()
    let calls = 0
    while (performance.now() - start < measureMs) for (let i = 0; i < 16; i++, calls++) run()
    const used = process.cpuUsage(before)
    const gigabytes = (calls * bytes) / 1e9
    const rate = gigabytes / ((performance.now() - start) / 1000)
    const cpu = (used.user + used.system) / 1e6 / gigabytes
    if (cpu < best.cpu) best = { cpu, rate }
  }
  return best
}
