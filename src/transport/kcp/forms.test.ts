import { describe, expect, it } from 'vitest'
import { kcpConfig, kcpPair } from '../../../test/support/kcp-pair.ts'
import { limits } from '../../core/limits.ts'
import type { KcpConfig } from '../../settings/kcp.ts'
import { fakeRandom } from '../../testing/fakes.ts'
import { ServerForms } from './forms.ts'
import { wrappingOf } from './wrapping.ts'

const bare: Partial<KcpConfig> = { masks: [], ttiMs: 10 }
const sealed: Partial<KcpConfig> = { ttiMs: 10 }
const open: Partial<KcpConfig> = { ttiMs: 10, orBare: true }

describe('settings of mKCP that leave its form open', () => {
  it.each([
    ["a server takes V2Ray's", open, sealed],
    ["a server takes Xray's", open, bare],
    ["a client finds V2Ray's", sealed, open],
    ["a client finds Xray's", bare, open],
    ['both', open, open],
  ])('%s', async (_, server, client) => {
    const { a, b, close } = await kcpPair(server, client)
    try {
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        const sent = Uint8Array.from({ length: 20_000 }, (_, i) => i % 251)
        await from.write(sent)
        const got: number[] = []
        while (got.length < sent.length) got.push(...(await to.read())!)
        expect(got).toEqual([...sent])
      }
    } finally {
      a.destroy()
      b.destroy()
      await close()
    }
  })
})

describe('the form of a server', () => {
  const conv = 0x0102
  const segment = Uint8Array.of(1, 2, 3, 0, 0, 0, 0, 0)
  const masksOf = (masks: KcpConfig['masks']) => wrappingOf(kcpConfig({ masks }), fakeRandom(1)).masks()
  const plain = masksOf([{ type: 'plain' }])
  const forms = () => new ServerForms(kcpConfig({ orBare: true }), fakeRandom(1))
  const sentBy = (form: ReturnType<ServerForms['of']>): number => {
    let count = 0
    form.wrap(segment, () => count++)
    return count
  }

  it('is both until it has answered, and then its own for what comes after', () => {
    const known = forms()
    const first = known.of('192.0.2.1:1', conv)
    expect(sentBy(first)).toBe(2)
    expect(first.open(plain.wrap(segment))).toEqual(segment)
    expect([sentBy(first), sentBy(known.of('192.0.2.1:1', conv)), sentBy(known.of('192.0.2.2:1', conv))]).toEqual([
      1, 1, 2,
    ])
    expect(first.open(segment)).toBeUndefined()
  })

  it('is not learned from what belongs to another conversation', () => {
    const form = forms().of('192.0.2.1:1', conv)
    expect(form.open(Uint8Array.of(9, 9, 3, 0))).toBeUndefined()
    expect(form.open(Uint8Array.of(1))).toBeUndefined()
    expect(sentBy(form)).toBe(2)
  })

  it('is forgotten when a connection got no answer', () => {
    const known = forms()
    known.of('192.0.2.1:1', conv).open(segment)
    expect(sentBy(known.of('192.0.2.1:1', conv))).toBe(1)
    known.of('192.0.2.1:1', conv).over()
    expect(sentBy(known.of('192.0.2.1:1', conv))).toBe(2)
  })

  it('is remembered of a bounded number', () => {
    const known = forms()
    for (let i = 0; i <= limits.kcpServers; i++) known.of(`192.0.2.1:${i}`, conv).open(segment)
    expect(sentBy(known.of('192.0.2.1:0', conv))).toBe(2)
    expect(sentBy(known.of(`192.0.2.1:${limits.kcpServers}`, conv))).toBe(1)
  })
})
