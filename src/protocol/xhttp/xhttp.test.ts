import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { canonicalName } from '../http/headers.ts'
import { asking, makeId } from './asking.ts'
import { requestHeaders } from './browser-headers.ts'
import { dataHeaders, decodeData, encodeData, takeData } from './data.ts'
import { huffmanLength } from './huffman-length.ts'
import { judge } from './judge.ts'
import type { Padding, Place, Shape } from './model.ts'
import { makePadding, wrongPadding } from './padding.ts'
import { PostQueue } from './post-queue.ts'
import { Slots } from './slots.ts'

const random = fakeRandom(1)
const bytes = { from: 100, to: 1_000 }
const shape: Shape = {
  base: '/x/',
  query: 'a=b',
  mode: 'auto',
  session: { at: 'path', key: '' },
  seq: { at: 'path', key: '' },
  data: { at: 'auto', key: 'X-Data', chunk: { from: 64, to: 100 } },
  padding: { bytes, method: 'repeat-x' },
  method: 'POST',
}
const origin = { secure: true, host: 'h.example' }

/** What a server reads of what a client asks. */
function received(sent: Shape, options: { id: string; seq?: number }) {
  const { method, target, headers } = asking(sent, origin, { method: 'POST', headers: [], ...options }, random)
  const named = headers.map(({ name, value }) => ({ name: canonicalName(name), value }))
  return { head: { method, target, minor: 1 as const, headers: named }, path: target.split('?', 1)[0]! }
}

const place = (key: string): fc.Arbitrary<Place> =>
  fc.constantFrom('path', 'query', 'header', 'cookie').map((at) => ({ at, key: at === 'path' ? '' : key }))
const padding: fc.Arbitrary<Padding> = fc.oneof(
  fc.constant<Padding>({ bytes, method: 'repeat-x' }),
  fc.record({
    bytes: fc.constant(bytes),
    placed: fc.record({
      at: fc.constantFrom('cookie', 'header', 'query', 'queryInHeader'),
      key: fc.constant('x_padding'),
      header: fc.constant('X-Pad'),
    }),
    method: fc.constantFrom('repeat-x', 'tokenish'),
  }),
)

describe('a request', () => {
  it('is understood as it was meant, wherever id, number and padding stand', () => {
    fc.assert(
      fc.property(place('s'), place('n'), padding, fc.nat({ max: 1e9 }), (session, seq, padding, number) => {
        const sent = { ...shape, session, seq, padding }
        const post = received(sent, { id: 'some-id', seq: number })
        expect(judge(post.head, { path: post.path }, sent)).toEqual({ kind: 'post', id: 'some-id', seq: number })
        const up = received(sent, { id: 'some-id' })
        expect(judge(up.head, { path: up.path }, sent)).toEqual({ kind: 'up', id: 'some-id' })
        const one = received(sent, { id: '' })
        expect(judge(one.head, { path: one.path }, sent)).toEqual({ kind: 'one' })
        expect(post.head.target).toContain('a=b')
      }),
    )
  })

  it('of anybody is judged, and never throws', () => {
    const head = fc.record({
      method: fc.constantFrom('GET', 'POST', 'OPTIONS', 'HEAD', ''),
      target: fc.string().map((text) => `/x/${text}`),
      minor: fc.constant<1>(1),
      headers: fc.array(
        fc.record({ name: fc.constantFrom('Referer', 'Cookie', 'X-Data-0', 'Host'), value: fc.string() }),
      ),
    })
    fc.assert(
      fc.property(head, padding, (head, padding) => {
        judge(head, { path: head.target }, { ...shape, padding })
        takeData(head, shape.data)
      }),
    )
  })
})

describe('padding', () => {
  it('of letters and digits has the length that it should have after HPACK', () => {
    // Three examples of RFC 7541, appendix C.4 and C.6.
    expect([huffmanLength('www.example.com'), huffmanLength('no-cache'), huffmanLength('custom-value')]).toEqual([
      12, 6, 9,
    ])
    for (let length = 1; length < 300; length++) {
      const text = makePadding({ bytes: { from: length, to: length }, method: 'tokenish' }, random)
      expect(text).toMatch(/^[0-9A-Za-z]+$/)
      expect(Math.abs(huffmanLength(text) - length)).toBeLessThanOrEqual(1)
    }
  })

  it('is refused when it is too short or too long', () => {
    const of = (length: number) =>
      wrongPadding({ method: 'GET', target: `/?x_padding=${'X'.repeat(length)}`, minor: 1, headers: [] }, shape.padding)
    expect([of(99), of(100), of(1_000), of(1_001)].map((wrong) => wrong === undefined)).toEqual([
      false,
      true,
      true,
      false,
    ])
  })
})

it('bytes come back out of headers and cookies', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom('header', 'cookie'), (sent, at) => {
      const data = { ...shape.data, at, key: 'x-d' } as const
      const headers = dataHeaders(sent, data, random).map(({ name, value }) => ({ name: canonicalName(name), value }))
      const taken = takeData({ method: 'POST', target: '/', minor: 1, headers }, data)
      expect(Buffer.concat(taken!)).toEqual(Buffer.from(sent))
      expect(encodeData(sent)).toBe(Buffer.from(sent).toString('base64url'))
    }),
  )
  expect(['a', '=', 'a+b/', 'ä'].map(decodeData)).toEqual([undefined, undefined, undefined, undefined])
})

it('session ids are UUIDs, or letters of a table', () => {
  expect(makeId({ table: '', length: { from: 0, to: 0 } }, random)).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  )
  expect(makeId({ table: 'xy', length: { from: 40, to: 40 } }, random)).toMatch(/^[xy]{40}$/)
})

it('the headers of a browser give way to configured ones', () => {
  const names = (headers: Record<string, string>) =>
    requestHeaders(headers, Date.UTC(2026, 10, 28)).map(({ name, value }) => `${name}: ${value}`)
  expect(names({})).toContain('Sec-CH-UA-Platform: "Windows"')
  expect(names({}).join()).toContain('Chrome/152.0.0.0')
  expect(names({ accept: 'text/html' }).filter((line) => /^accept:/i.test(line))).toEqual(['accept: text/html'])
  expect(names({ 'User-Agent': 'me' })).toEqual(['User-Agent: me'])
  expect(names({ 'User-Agent': 'curl', 'X-A': 'b' })).toEqual(['User-Agent: curl/8.14.1', 'X-A: b'])
})

it('posts come out in order, each once, whatever comes in, and no more are held than may be', () => {
  const arrivals = fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(arrivals, fc.boolean(), (seqs, readNow) => {
      const queue = new PostQueue({ maxPosts: 4, maxBytes: 10 })
      const taken: number[] = []
      const read = (): void => {
        for (let post = queue.take(); post; post = queue.take()) taken.push(post[0]!)
      }
      for (const seq of seqs) {
        if (queue.repeated(seq) || !queue.reserve(seq, 2)) continue
        queue.settle(seq, seq % 3 === 0 ? undefined : Uint8Array.of(seq, 0))
        expect(queue.bytes).toBeLessThanOrEqual(12)
        if (readNow) read()
      }
      read()
      expect(taken).toEqual(taken.map((_, i) => i))
      queue.clear()
      expect(queue.bytes).toBe(0)
    }),
  )
})

describe('connections that streams share', () => {
  const none = { from: 0, to: 0 }
  const limits = {
    maxConcurrency: none,
    maxConnections: none,
    cMaxReuseTimes: none,
    hMaxRequestTimes: none,
    hMaxReusableSecs: none,
  }
  const rig = (over: Partial<typeof limits>) => {
    const clock = fakeClock(0)
    const closed = new Set<number>()
    const retired: number[] = []
    let opened = 0
    const slots = new Slots<number>(
      { ...limits, ...over },
      {
        random,
        elapsed: () => clock.elapsed(),
        open: () => opened++,
        closed: (use) => closed.has(use),
        retired: ({ use }) => retired.push(use),
      },
    )
    const take = () => {
      const slot = slots.take()
      slot.running++
      return slot
    }
    return { clock, closed, retired, slots, take, opened: () => opened }
  }

  it('are one without limits, and another when it is closed', () => {
    const { take, closed, retired } = rig({})
    expect([take().use, take().use]).toEqual([0, 0])
    closed.add(0)
    expect(take().use).toBe(1)
    expect(retired).toEqual([0])
  })

  it('are as many as maxConnections before one is used again', () => {
    const { take, opened } = rig({ maxConnections: { from: 3, to: 3 } })
    for (let i = 0; i < 10; i++) take()
    expect(opened()).toBe(3)
  })

  it('carry maxConcurrency at once', () => {
    const { take, opened } = rig({ maxConcurrency: { from: 2, to: 2 } })
    const slots = [take(), take(), take()]
    expect(opened()).toBe(2)
    // Which of several with room is taken is drawn: each time only one has.
    expect([take().use, opened()]).toEqual([1, 2])
    slots[0]!.running--
    expect([take().use, opened()]).toEqual([0, 2])
  })

  it('are left after so many streams, requests or seconds', () => {
    const reused = rig({ cMaxReuseTimes: { from: 2, to: 2 } })
    expect([reused.take().use, reused.take().use, reused.take().use]).toEqual([0, 0, 1])
    const asked = rig({ hMaxRequestTimes: { from: 1, to: 1 } })
    const slot = asked.take()
    slot.requestsLeft--
    expect([asked.slots.fresh(slot), asked.take().use]).toEqual([false, 1])
    const old = rig({ hMaxReusableSecs: { from: 5, to: 5 } })
    old.take()
    old.clock.advance(5_000)
    expect([old.take().use, old.slots.size]).toEqual([1, 1])
  })
})
