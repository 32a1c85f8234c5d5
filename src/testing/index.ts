/** For tests of programs that build on this library: a fake clock and random source, connections in memory, the Conn suite. */

export { type MemoryPairOptions, memoryPair } from '../net/memory.ts'
export { type ConnPair, type ConnSuiteOptions, connSuite } from './conn-suite.ts'
export { type FakeClock, fakeClock, fakeRandom } from './fakes.ts'
