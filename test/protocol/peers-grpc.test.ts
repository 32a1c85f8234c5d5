/** Whole conversations of other programs over gRPC, cut anywhere: down to the plaintext inside VMess. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Conn } from '../../src/core/conn.ts'
import { forever } from '../../src/core/lifetime.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { parseId } from '../../src/protocol/vmess/users/identity.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'
import { grpcLayer } from '../../src/transport/grpc/layer.ts'
import { framesOf, frameTypes, prefaceLength } from '../support/http2-frames.ts'
import { dialerTo, layerRig, serverAddress } from '../support/layer-pair.ts'
import { type Conversation, concat, pattern, sameBytes } from '../support/vectors.ts'
import { openAll, pushAll, testClient, testServer, testUser } from '../support/vmess-pair.ts'

interface GrpcConversation extends Conversation {
  readonly clientStreamSettings: {
    readonly grpcSettings: { readonly serviceName: string; readonly multiMode?: boolean }
  }
}

const file = new URL('../vectors/peers-grpc.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: GrpcConversation[] }

const cuts = fakeRandom(37)

/** Without what answers frames of the recorded other side: ours has sent other ones. */
function bytesOf(c: Conversation, dir: 'c2s' | 's2c'): Uint8Array {
  const all = Buffer.concat(
    c.events.flatMap((e) => (e.dir === dir && e.base64 ? [Buffer.from(e.base64, 'base64')] : [])),
  )
  const start = dir === 'c2s' ? prefaceLength : 0
  const kept = framesOf(all.subarray(start)).filter(
    ({ type, flags }) => type !== frameTypes.ping && !(type === frameTypes.settings && flags & 1),
  )
  return concat(all.subarray(0, start), ...kept.map(({ bytes }) => bytes))
}

async function feed(to: Conn, bytes: Uint8Array, most: number): Promise<void> {
  for (let at = 0; at < bytes.length && !to.gone; ) {
    const piece = bytes.slice(at, at + 1 + cuts.below(most))
    at += piece.length
    await to.write(piece)
  }
}

/** What comes until the end, in order or not: a recorded server may end the call by a reset. */
async function readAll(conn: Conn): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  await conn.drainTo((lent) => void parts.push(lent.slice())).catch(() => {})
  return concat(...parts)
}

function layerOf({ clientStreamSettings: { grpcSettings } }: GrpcConversation) {
  const { serviceName, multiMode = false } = grpcSettings
  const keepAlive = { idleMs: 0, timeoutMs: 20_000, withoutStreams: false }
  return grpcLayer(
    { serviceName, multi: multiMode, authority: '', userAgent: 'golang', forwarded: true, keepAlive },
    layerRig().deps,
  )
}

/** What our server makes of the recorded client. */
async function uplink(c: GrpcConversation, most: number): Promise<Uint8Array> {
  const [near, far] = memoryPair()
  near.drainTo(() => {}).catch(() => {}) // what we answer
  const all = new Promise<Uint8Array>((resolve) => {
    layerOf(c)
      .server((conn) => void readAll(conn).then(resolve))
      .receive(far)
  })
  await feed(near, bytesOf(c, 'c2s'), most).catch(() => {})
  await near.closeWrite()
  return all
}

/** What our client makes of the recorded server. */
async function downlink(c: GrpcConversation, most: number): Promise<Uint8Array> {
  const [near, far] = memoryPair()
  let sent = Buffer.alloc(0)
  const asked = new Promise<void>((resolve) => {
    const look = (lent: Uint8Array): void => {
      sent = Buffer.concat([sent, lent])
      if (framesOf(sent.subarray(prefaceLength)).some(({ type }) => type === frameTypes.headers)) resolve()
    }
    far.drainTo(look).catch(() => {})
  })
  const conn = await layerOf(c).client(dialerTo(near)).dial(serverAddress, { until: forever })
  await asked
  const all = readAll(conn)
  await feed(far, bytesOf(c, 's2c'), most).catch(() => {})
  await far.closeWrite()
  return all
}

describe.each(cases.map((c) => [`${c.peer} ${c.name}`, c] as const))('%s', (_, c) => {
  it.each([1_000_000, 700, 11])('cut into pieces of at most %d bytes', async (most) => {
    const user = testUser(0, { id: parseId(c.id) })
    const clock = () => fakeClock(c.unixTime * 1000)
    const { request, behind } = pushAll(testServer([user], clock()).accept(), [await uplink(c, most)])
    if (!request) throw new Error('the header is not complete')
    const expected = pattern(9_300)
    sameBytes(openAll(request.opener, behind), expected)
    const client = testClient(user, clock(), {
      security: 'aes-128-gcm',
      experiments: { authenticatedLength: request.options.authenticatedLength, noTerminationSignal: false },
      globalPadding: request.options.globalPadding,
      keys: request.keys,
    })
    sameBytes(openAll(client.opener, [await downlink(c, most)]), expected)
  })
})

it('there are conversations of every peer that has the transport', () => {
  expect(cases.map(({ peer, name }) => `${peer} ${name}`).sort()).toEqual([
    'singbox grpc',
    'v5 grpc',
    'xray grpc',
    'xray grpc-custom-path',
    'xray grpc-multi',
  ])
})
