/** What the trials know of V2Ray's replay filter: the AuthIDs that are one to it, though nobody has sent any of them twice. */

import { connect, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClientSession } from '../../src/protocol/vmess/client.ts'
import { parseId } from '../../src/protocol/vmess/users/identity.ts'
import { fakeRandom } from '../../src/testing/fakes.ts'
import { asFiltered } from './rig/auth-ids.ts'
import { serverConfig, testId } from './rig/configs.ts'
import { freePorts, hasV2ray, startPeer, withPeers } from './rig/harness.ts'

/** Recorded: V2Ray 4.34 has refused the second as "replayed request" after thousands of connections, among them the first. */
const refused = [
  ['4dde8dd55d19453cd455d9da941a4d01', '1c759dd8e0590c090a78bebcf5826a0e'],
  ['533258757f15eca1366dc97118934325', 'e40401cc8f0753229267642e9371d38b'],
  ['1b07bf073ad5aac97efeef4fe11edcfc', '170a3438f9fc47d62d0d608f30bf057f'],
  ['159b64dc2f87e1172e3854f14b154449', 'f123d319320019985b040bda717ed34d'],
  ['4734d0d2a8c4cff7f3efa902d6ae31af', '6a6e23449bd6b122972ad54fd0cddc74'],
  ['619c9bf1d81c2e739556bc6d1173d1d3', '418b542e204f068663b4368a5d2bb590'],
  ['de197755240cc57cc22860a605ddfc3a', 'ab9170325e6b6f16d0251c3faae44190'],
  ['898d886f0b10058fa15d2d87c13cf3a2', '9b400def1f984e9995c4d03b8f5678dd'],
] as const

const filtered = (hex: string): number => asFiltered(Buffer.from(hex, 'hex'))

it('AuthIDs that V2Ray took for each other are one, and no others', () => {
  for (const [first, second] of refused) expect(filtered(second)).toBe(filtered(first))
  expect(new Set(refused.flat().map(filtered)).size).toBe(refused.length)
})

describe.runIf(hasV2ray)('a V2Ray that nobody has sent an AuthID twice', () => {
  let target: Server
  beforeAll(async () => {
    target = createServer((socket) => socket.on('error', () => {}).pipe(socket))
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => target.close())

  const payload = new Uint8Array(2_000)

  /** A request whose AuthID is made of these four bytes, and a payload; enough of it that V2Ray does not wait for more. */
  function request(four: Uint8Array, nowMs: number): Uint8Array {
    const random = fakeRandom(Buffer.from(four).readInt32BE())
    const { port } = target.address() as { port: number }
    const session = new ClientSession({
      user: { id: parseId(testId), alterId: 0 },
      security: 'aes-128-gcm',
      globalPadding: false,
      command: 'tcp',
      target: { host: '127.0.0.1', port },
      experiments: { authenticatedLength: false, noTerminationSignal: false },
      clock: { now: () => nowMs },
      random: {
        below: () => 0,
        fill: (bytes) => {
          if (bytes.length === 4) bytes.set(four)
          else random.fill(bytes)
          return bytes
        },
      },
    })
    const head = session.head()
    const bytes = new Uint8Array(head.length + session.sealer.maxSealed(payload.length))
    bytes.set(head)
    return bytes.subarray(0, session.sealer.seal(payload, bytes, head.length))
  }

  const answer = (port: number, bytes: Uint8Array): Promise<'answered' | 'closed'> =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => socket.write(bytes))
      socket.once('data', () => {
        resolve('answered')
        socket.destroy()
      })
      socket.on('error', () => {})
      socket.once('close', () => resolve('closed'))
    })

  it('refuses one that differs from an earlier one and is the same to its filter', async () => {
    const random = fakeRandom(5)
    const nowMs = Date.now()
    const seen = new Map<number, Uint8Array>()
    let earlier: Uint8Array | undefined
    let later = new Uint8Array(4)
    while (!earlier) {
      later = random.fill(new Uint8Array(4))
      const key = asFiltered(request(later, nowMs).subarray(0, 16))
      earlier = seen.get(key)
      seen.set(key, later)
    }
    const [port] = await freePorts(1)
    const server = await startPeer('v2ray', serverConfig({ port: port!, alterId: 0 }), { ports: [port!] })
    await withPeers([server], async () => {
      expect(await answer(port!, request(earlier, nowMs))).toBe('answered')
      expect(await answer(port!, request(random.fill(new Uint8Array(4)), nowMs))).toBe('answered')
      expect(await answer(port!, request(later, nowMs))).toBe('closed')
      await server.logged(/replayed request/)
    })
  })
})
