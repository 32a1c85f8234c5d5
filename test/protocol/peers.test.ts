import { describe, expect, it } from 'vitest'
import { type BodyOpener, type BodyScheme, createOpener } from '../../src/protocol/vmess/body/body.ts'
import { responseKeys } from '../../src/protocol/vmess/header/response.ts'
import { parseId } from '../../src/protocol/vmess/users/identity.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'
import { long } from '../support/long.ts'
import { type Conversation, concat, conversations, pattern, sameBytes } from '../support/vectors.ts'
import { bytewise, cutAt, openAll, pushAll, testClient, testServer, testUser } from '../support/vmess-pair.ts'

const random = fakeRandom(13)
/** Cuts behind the header that go through whole sessions; all others go through the body alone. */
const wholeSessionCuts = 40
const step = long ? 1 : 7

const bytesOf = (c: Conversation, dir: 'c2s' | 's2c') =>
  concat(
    ...c.events.flatMap((event) => (event.dir === dir && event.base64 ? [Buffer.from(event.base64, 'base64')] : [])),
  )

/** Opens a body cut in two at every place; without VMESS_LONG at every seventh, wherever a chunk begins. The memory that is lent is not overwritten here: it costs more than the opening. */
function cutEverywhere(body: Uint8Array, expected: Uint8Array, fresh: () => BodyOpener): void {
  const into = new Uint8Array(fresh().room(body.length) + body.length)
  for (let cut = random.below(step); cut <= body.length; cut += step) {
    const opener = fresh()
    const first = opener.open(body.subarray(0, cut), into)
    const length = first + opener.open(body.subarray(cut), into.subarray(first))
    opener.end()
    sameBytes(into.subarray(0, length), expected)
  }
}

describe.each(conversations())('$peer: $name', (c) => {
  const user = testUser(0, { id: parseId(c.id) })
  const sent = pattern(c.sizes.reduce((sum, size) => sum + size))
  const uplink = bytesOf(c, 'c2s')
  const downlink = bytesOf(c, 's2c')

  const accept = (pieces: readonly Uint8Array[]) => {
    const { request, behind } = pushAll(testServer([user], fakeClock(c.unixTime * 1000)).accept(), pieces)
    if (!request) throw new Error('the header is not complete')
    return { request, behind }
  }
  const openUplink = (pieces: readonly Uint8Array[]) => {
    const { request, behind } = accept(pieces)
    sameBytes(openAll(request.opener, behind), sent)
    request.opener.end()
    return request
  }
  const { request, behind } = accept([uplink])
  const { key, iv } = request.keys
  const scheme: BodyScheme = {
    security: request.security,
    options: request.options,
    transfer: 'stream',
    requestKey: key,
    requestIv: iv,
  }

  it('the client’s bytes are a request for the target', () => {
    expect(request).toMatchObject({
      user,
      mode: 'aead',
      command: 'tcp',
      target: { host: c.target.address, port: c.target.port },
      security: c.security === 'zero' ? 'none' : c.security,
    })
    expect(Math.abs(request.timeS - c.unixTime)).toBeLessThanOrEqual(30)
    expect(request.options.authenticatedLength).toBe(c.experiments === 'AuthenticatedLength')
    openUplink([uplink])
    openUplink(bytewise(uplink))
  })

  it('the client’s bytes, cut in two', () => {
    const headLength = uplink.length - behind[0]!.length
    for (let cut = 0; cut <= headLength; cut++) openUplink(cutAt(uplink, cut))
    for (let i = 0; i < wholeSessionCuts; i++) openUplink(cutAt(uplink, headLength + random.below(behind[0]!.length)))
    cutEverywhere(behind[0]!, sent, () => createOpener(scheme, { key, iv }))
  })

  /** A client in the state in which the recorded one waited for its answer, with `sent` as a check of what it gets. */
  const openDownlink = (pieces: readonly Uint8Array[]) => {
    const { authenticatedLength } = request.options
    const client = testClient(user, fakeClock(c.unixTime * 1000), {
      security: c.security as 'aes-128-gcm' | 'chacha20-poly1305' | 'none' | 'zero',
      experiments: { authenticatedLength, noTerminationSignal: false },
      globalPadding: request.options.globalPadding,
      framedNone: request.options.chunkStream,
      keys: request.keys,
    })
    sameBytes(openAll(client.opener, pieces), sent)
    expect(client.opener.answered).toBe(true)
    client.opener.end()
  }

  it('the server’s bytes are the echo', () => {
    openDownlink([downlink])
    openDownlink(bytewise(downlink))
  })

  it('the server’s bytes, cut in two', () => {
    const headLength = 38
    for (let cut = 0; cut <= headLength; cut++) openDownlink(cutAt(downlink, cut))
    const body = downlink.subarray(headLength)
    for (let i = 0; i < wholeSessionCuts; i++) openDownlink(cutAt(downlink, headLength + random.below(body.length)))
    cutEverywhere(body, sent, () => createOpener(scheme, responseKeys('aead', key, iv)))
  })
})
