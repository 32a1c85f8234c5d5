// Loaded into a proxy with --expose-gc: a full collection when the test asks for one, and then what the process holds.
// Buffers that the first one finds are given back by the second.
let collections = 0
process.on('SIGUSR2', () => {
  globalThis.gc()
  setImmediate(() => {
    globalThis.gc()
    const { heapUsed, external } = process.memoryUsage()
    process.stderr.write(`collection ${++collections} leaves ${heapUsed + external} bytes\n`)
  })
})
