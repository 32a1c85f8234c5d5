/** For tests of programs that build on this library: a fake clock and random source, connections and datagrams in memory, the suites. */

export { type MemoryPairOptions, memoryPair } from '../net/memory/memory.ts'
export { type MemoryPacketsOptions, memoryPackets } from '../net/memory/memory-packets.ts'
export { type ConnPair, type ConnSuiteOptions, connSuite } from './conn-suite.ts'
export { type FakeClock, fakeClock, fakeRandom } from './fakes.ts'
export { type PacketPair, type PacketSuiteOptions, packetSuite, type Way } from './packet-suite.ts'
