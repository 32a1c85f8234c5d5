/**
 * The native twin under damaged input: it says what the TypeScript says, to the last byte and word; and whatever stands in the memory
 * that it is given, it comes back with a value or an error of JavaScript. 100,000 of each with VMESS_LONG=1.
 */
import { describe, expect, it } from 'vitest'
import { isProxyError } from '../../src/core/errors.ts'
import type { BodyScheme } from '../../src/protocol/vmess/body/body.ts'
import { fakeRandom } from '../../src/testing/fakes.ts'
import { optionSets, schemeOf, sealAll } from '../support/body.ts'
import { long } from '../support/long.ts'
import { mutate } from '../support/mutate.ts'
import { type Implementation, native, openerBy, sealerBy, skipped } from '../support/twin.ts'

const parts = long ? 20 : 1
const runs = long ? 5_000 : 2_000

/** Everything that an opener says of a wire: each result, each datagram, the error. */
function story(by: Implementation, scheme: BodyScheme, batches: readonly Uint8Array[]): string {
  const told: unknown[] = []
  const opener = openerBy(by, scheme, 'request', (datagram) => told.push(Buffer.from(datagram).toString('latin1')))
  try {
    for (const batch of batches) {
      const into = new Uint8Array(opener.room(batch.length))
      const length = opener.open(batch, into)
      told.push(Buffer.from(into.buffer, 0, length).toString('latin1'), opener.ended, opener.room(0))
    }
    opener.end()
  } catch (error) {
    if (!isProxyError(error)) throw error
    told.push(error.code, error.message)
  }
  return JSON.stringify(told)
}

describe.skipIf(!native)(`the native twin${skipped}`, () => {
  it.each(
    Array.from({ length: parts }, (_, part) => part),
  )(`opens ${runs} damaged streams as TypeScript does, part %i`, (part) => {
    const random = fakeRandom(100 + part)
    for (let run = 0; run < runs; run++) {
      const security = random.below(2) ? 'aes-128-gcm' : 'chacha20-poly1305'
      const transfer = random.below(2) ? 'stream' : 'packet'
      const scheme = schemeOf(security, optionSets[random.below(optionSets.length)]!, transfer)
      const pieces = Array.from({ length: 1 + random.below(4) }, () =>
        random.fill(new Uint8Array(1 + random.below(60))),
      )
      const wire = mutate(sealAll(sealerBy('native', scheme, 'request', random), pieces), random)
      const batches: Uint8Array[] = []
      for (let at = 0; at < wire.length; at += batches.at(-1)!.length)
        batches.push(wire.slice(at, at + 1 + random.below(200)))
      const native = story('native', scheme, batches)
      if (native !== story('typescript', scheme, batches)) expect(native).toBe(story('typescript', scheme, batches))
    }
  })

  it(`survives ${parts * runs} states that nobody made`, () => {
    const random = fakeRandom(8)
    const outcomes = new Set<string>()
    for (let run = 0; run < parts * runs; run++) {
      const words = new Int32Array(82)
      random.fill(new Uint8Array(words.buffer))
      // Random words are rarely small, and that is where the branches lie.
      for (let i = 0; i < 10; i++) if (random.below(2)) words[i] = random.below(70)
      const into = new Uint8Array(random.below(400))
      const batch = random.fill(new Uint8Array(random.below(300)))
      const head = random.below(2) ? random.fill(new Uint8Array(random.below(70))) : undefined
      const lengths = random.below(2) ? new Int32Array(random.below(9)) : undefined
      try {
        const opened = native!.openBody(words, head, batch, 0, into, random.below(20), lengths)
        outcomes.add(`opened ${Math.sign(opened)}`)
        outcomes.add(`sealed ${Math.sign(native!.sealBody(words, batch, 1 + random.below(100), into, 0, true))}`)
      } catch (error) {
        outcomes.add((error as Error).name)
      }
    }
    expect([...outcomes].sort()).toEqual(['RangeError', 'opened -1', 'opened 0', 'opened 1', 'sealed 1'])
  })

  it.skipIf(!native?.search)(`searches ${parts * runs} tables that nobody made`, () => {
    const random = fakeRandom(9)
    const search = native!.search!
    const outcomes = new Set<string>()
    for (let run = 0; run < parts * runs; run++) {
      const table = random.fill(new Uint8Array(random.below(4 * search.groupBytes)))
      const [a, b] = [random.fill(new Uint8Array(14 + random.below(5))), new Uint8Array(14 + random.below(5))]
      const slot = random.below(80)
      try {
        outcomes.add(`found ${Math.sign(search.findKey(table, a, slot, random.below(2 ** 32)))}`)
        search.setKey(table, slot, a)
        search.openWithKey(table, slot, a, b)
        search.clearKey(table, slot)
        outcomes.add('done')
      } catch (error) {
        outcomes.add((error as Error).name)
      }
    }
    expect([...outcomes].sort()).toEqual(['RangeError', 'done', 'found -1'])
  })
})
