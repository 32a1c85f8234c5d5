// Loaded into a proxy with --expose-gc: a full collection when the test asks for one. Every long-running process meets some.
process.on('SIGUSR2', () => globalThis.gc())
