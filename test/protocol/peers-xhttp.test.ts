/** Whole conversations of Xray over xhttp, cut anywhere: down to the plaintext inside VMess. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Conn } from '../../src/core/conn.ts'
import { forever } from '../../src/core/lifetime.ts'
import { deferred } from '../../src/core/time/deferred.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { parseId } from '../../src/protocol/vmess/users/identity.ts'
import type { XhttpShape } from '../../src/settings/xhttp.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'
import { xhttpLayer } from '../../src/transport/xhttp/layer.ts'
import { layerRig, serverAddress } from '../support/layer-pair.ts'
import { type Conversation, concat, pattern, sameBytes } from '../support/vectors.ts'
import { openAll, pushAll, testClient, testServer, testUser } from '../support/vmess-pair.ts'
import { xhttpConfig } from '../support/xhttp-rig.ts'

type XhttpConversation = Conversation & { readonly events: readonly { readonly conn: number }[] }

const file = new URL('../vectors/peers-xhttp.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: XhttpConversation[] }
const cuts = fakeRandom(31)

async function feed(to: Conn, bytes: Uint8Array, most: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.slice(at, at + 1 + cuts.below(most))
    at += piece.length
    await to.write(piece)
  }
}

/** All that comes until the connection ends, in order or not: a stream that travels in posts has no end. */
async function readAll(conn: Conn): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  await conn.drainTo((lent) => void parts.push(lent.slice())).catch(() => {})
  return concat(...parts)
}

/** What our server makes of the recorded client. */
async function uplink(c: XhttpConversation, most: number): Promise<Uint8Array> {
  const read = deferred<Uint8Array>()
  const { deps } = layerRig()
  const passage = xhttpLayer(xhttpConfig(), deps).server((conn) => void readAll(conn).then(read.resolve))
  const carriers = new Map<number, Conn>()
  for (const { conn, dir, base64, event } of c.events) {
    if (event === 'open') {
      const [near, far] = memoryPair()
      near.drainTo(() => {}).catch(() => {})
      passage.receive(far)
      carriers.set(conn, near)
    } else if (dir === 'c2s' && base64) await feed(carriers.get(conn)!, Buffer.from(base64, 'base64'), most)
    else if (event === 'FIN' && dir === 'c2s') {
      await new Promise((resolve) => setImmediate(resolve))
      await carriers.get(conn)!.closeWrite()
    }
  }
  return read.promise
}

/** What our client makes of the recorded server, whose answer is known by the method that it answers. */
async function downlink(c: XhttpConversation, most: number): Promise<Uint8Array> {
  const answers = new Map<string, Uint8Array[]>()
  const methods = new Map<number, string>()
  for (const { conn, dir, base64 } of c.events) {
    if (!base64) continue
    const bytes = Buffer.from(base64, 'base64')
    if (dir === 'c2s' && !methods.has(conn)) methods.set(conn, bytes.toString('latin1').split(' ', 1)[0]!)
    if (dir === 's2c') answers.set(methods.get(conn)!, [...(answers.get(methods.get(conn)!) ?? []), bytes])
  }
  const base = {
    dial: async () => {
      const [near, far] = memoryPair()
      const answer = async (): Promise<void> => {
        const method = Buffer.from((await far.read())!)
          .toString('latin1')
          .split(' ', 1)[0]!
        far.drainTo(() => {}).catch(() => {})
        await feed(far, concat(...answers.get(method)!), most)
        await far.closeWrite()
      }
      answer().catch(() => {}) // the client may hang up when it has what it wants
      return near
    },
  }
  const mode = c.name.slice('xhttp-'.length) as XhttpShape['mode']
  const conn = await xhttpLayer(xhttpConfig({ mode }), layerRig().deps)
    .client(base)
    .dial(serverAddress, { until: forever })
  await conn.write(Uint8Array.of(1))
  return readAll(conn)
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

it('there are conversations of every mode', () => {
  expect(cases.map(({ name }) => name).sort()).toEqual([
    'xhttp-auto',
    'xhttp-packet-up',
    'xhttp-stream-one',
    'xhttp-stream-up',
  ])
})
