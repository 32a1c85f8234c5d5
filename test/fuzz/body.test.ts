/** Streams that were changed on their way: the opener gives bytes or a ProxyError, never anything else, and holds no more than it was given. */
import { describe, expect, it } from 'vitest'
import { isProxyError } from '../../src/core/errors.ts'
import { type BodyScheme, createOpener, createSealer } from '../../src/protocol/vmess/body/body.ts'
import { fakeRandom } from '../../src/testing/fakes.ts'
import { optionSets, requestIv, requestKey, schemeOf, sealAll, securities } from '../support/body.ts'
import { long } from '../support/long.ts'
import { mutate } from '../support/mutate.ts'

const runsPerSecurity = long ? 25_000 : 5_000
const refusals = new Set(['BODY_AUTH_FAILED', 'BODY_MALFORMED', 'TRUNCATED'])
const keys = { key: requestKey, iv: requestIv }

interface Recording {
  readonly scheme: BodyScheme
  readonly plain: Uint8Array
  readonly wire: Uint8Array
}

const random = fakeRandom(2026)

function record(scheme: BodyScheme): Recording {
  const pieces = Array.from({ length: 1 + random.below(4) }, () => random.fill(new Uint8Array(1 + random.below(60))))
  const sealer = createSealer(scheme, { ...keys, terminate: true, random })
  return { scheme, plain: Buffer.concat(pieces), wire: sealAll(sealer, pieces) }
}

/** What came out before the error, if there was one. */
function open(scheme: BodyScheme, wire: Uint8Array): Uint8Array {
  const opener = createOpener(scheme, { ...keys, packet: () => {} })
  const opened: Uint8Array[] = []
  try {
    for (let at = 0; at < wire.length; ) {
      const batch = wire.slice(at, at + 1 + random.below(200))
      at += batch.length
      const into = new Uint8Array(opener.room(batch.length))
      const length = opener.open(batch, into)
      if (length > into.length) throw new Error('more bytes than room() promised')
      if (opener.room(0) > at) throw new Error('holds more than it was given')
      opened.push(into.subarray(0, length))
    }
    opener.end()
  } catch (error) {
    if (!isProxyError(error) || !refusals.has(error.code)) throw error
  }
  return Buffer.concat(opened)
}

describe.each(securities)('%s', (security) => {
  it(`survives ${runsPerSecurity} damaged streams`, () => {
    const recordings = optionSets.flatMap((bits) =>
      (['stream', 'packet'] as const).flatMap((transfer) => [
        record(schemeOf(security, bits, transfer)),
        record(schemeOf(security, bits, transfer)),
      ]),
    )
    const sealed = security === 'aes-128-gcm' || security === 'chacha20-poly1305'
    const memory = process.memoryUsage().rss
    for (let run = 0; run < runsPerSecurity; run++) {
      const { scheme, plain, wire } = recordings[run % recordings.length]!
      const opened = open(scheme, mutate(wire, random))
      // What is authenticated is either whole up to some chunk or was never there.
      if (sealed && Buffer.compare(opened, plain.subarray(0, opened.length)) !== 0) {
        expect.fail(`forged bytes with options ${JSON.stringify(scheme.options)}, ${scheme.transfer}, run ${run}`)
      }
    }
    expect(process.memoryUsage().rss - memory).toBeLessThan(300e6)
  })
})
