/** Whole conversations of other programs over WebSocket, HTTPUpgrade and tcp with the http header, cut anywhere: down to the plaintext inside VMess. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Conn } from '../../src/core/conn.ts'
import type { Layer } from '../../src/core/dialer.ts'
import type { Random } from '../../src/core/env.ts'
import { forever } from '../../src/core/lifetime.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { parseId } from '../../src/protocol/vmess/users/identity.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'
import { httpUpgradeLayer } from '../../src/transport/httpupgrade/layer.ts'
import { disguiseLayer } from '../../src/transport/tcp/disguise-layer.ts'
import { webSocketLayer } from '../../src/transport/ws/layer.ts'
import { dialerTo, layerRig, serverAddress } from '../support/layer-pair.ts'
import { type Conversation, concat, pattern, sameBytes } from '../support/vectors.ts'
import { openAll, pushAll, testClient, testServer, testUser } from '../support/vmess-pair.ts'

const file = new URL('../vectors/peers-http1.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Conversation[] }

const bytesOf = (c: Conversation, dir: 'c2s' | 's2c') =>
  concat(...c.events.flatMap((e) => (e.dir === dir && e.base64 ? [Buffer.from(e.base64, 'base64')] : [])))

const cuts = fakeRandom(31)

async function feed(to: Conn, bytes: Uint8Array, most: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.slice(at, at + 1 + cuts.below(most))
    at += piece.length
    await to.write(piece)
  }
  await to.closeWrite()
}

async function readAll(conn: Conn): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (let bytes = await conn.read(); bytes; bytes = await conn.read()) parts.push(bytes)
  return concat(...parts)
}

const disguise = {
  request: { version: '1.1', method: 'GET', paths: ['/a', '/b'], headers: [] },
  response: { version: '1.1', status: '200', reason: 'OK', headers: [] },
}
const plain = { host: '', servedHost: '', forwarded: true, headers: {} }

function layerOf(c: Conversation, random: Random): Layer {
  const { deps } = layerRig()
  const own = { ...deps, env: { ...deps.env, random } }
  if (c.name === 'tcp-http') return disguiseLayer(disguise, own)
  if (c.name === 'httpupgrade') return httpUpgradeLayer({ ...plain, path: '/up', fastOpen: false }, own)
  return webSocketLayer({ ...plain, path: '/ray', heartbeatMs: 0 }, own)
}

/** What our server makes of the recorded client. */
async function uplink(c: Conversation, most: number): Promise<Uint8Array> {
  const [near, far] = memoryPair()
  const all = new Promise<Uint8Array>((resolve, reject) => {
    layerOf(c, fakeRandom(1))
      .server((conn) => readAll(conn).then(resolve, reject))
      .receive(far)
  })
  await Promise.all([feed(near, bytesOf(c, 'c2s'), most), all])
  return all
}

/** What our client, given the recorded key, makes of the recorded server. */
async function downlink(c: Conversation, most: number): Promise<Uint8Array> {
  const key = /Sec-WebSocket-Key: (\S+)/.exec(Buffer.from(bytesOf(c, 'c2s')).toString('latin1'))?.[1] ?? ''
  const random: Random = {
    ...fakeRandom(1),
    fill: (bytes) => {
      bytes.set(Buffer.from(key, 'base64').subarray(0, bytes.length))
      return bytes
    },
  }
  const [near, far] = memoryPair()
  const dialling = layerOf(c, random).client(dialerTo(near)).dial(serverAddress, { until: forever })
  const [bytes] = await Promise.all([dialling.then(readAll), feed(far, bytesOf(c, 's2c'), most)])
  return bytes
}

describe.each(cases.map((c) => [`${c.peer} ${c.name}`, c] as const))('%s', (_, c) => {
  it.each([1_000_000, 700, 5])('cut into pieces of at most %d bytes', async (most) => {
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
    'singbox httpupgrade',
    'singbox ws',
    'singbox ws-ed',
    'v5 tcp-http',
    'v5 ws',
    'v5 ws-ed',
    'xray httpupgrade',
    'xray tcp-http',
    'xray ws',
    'xray ws-ed',
  ])
})
