import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../config/load.ts'
import { same } from '../../settings/same.ts'
import { diffUsers, limitsByEmail, pairUp, vmessUsers } from './config-diff.ts'

const read = (text: string) => {
  const { config, problems } = loadConfig([{ name: 'a.json', text }])
  if (!config) throw new Error(problems.map(({ message }) => message).join('\n'))
  return config
}

const text = (clients: readonly object[]) =>
  JSON.stringify({
    inbounds: [
      {
        port: 1,
        protocol: 'vmess',
        settings: { clients },
        streamSettings: { security: 'tls', tlsSettings: { certificates: [{ certificateFile: '/a', keyFile: '/b' }] } },
      },
    ],
    policy: { levels: { 1: { connIdle: 5 } } },
  })
const id = (digit: number) => `${digit}1111111-1111-4111-8111-111111111111`

describe('same', () => {
  it('does not mind where something stands in the file', () => {
    const [a, b] = [text([{ id: id(1) }]), `\n\n  ${text([{ id: id(1) }])}`].map(read)
    expect(a).not.toEqual(b)
    expect(same(a, b)).toBe(true)
  })

  it.each<[unknown, unknown]>([
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { b: 1 }],
    [{ a: undefined }, { a: 1 }],
    [[1, 2], [1]],
    [[1], { 0: 1 }],
    [Uint8Array.of(1, 2), Uint8Array.of(1, 3)],
    [Uint8Array.of(1), [1]],
    [new Map([[1, { a: 1 }]]), new Map([[1, { a: 2 }]])],
    [new Map([[1, 1]]), new Map([[2, 1]])],
    [new Map(), {}],
    [null, {}],
    ['1', 1],
  ])('tells %j from %j', (a, b) => {
    expect(same(a, b)).toBe(false)
    expect(same(b, a)).toBe(false)
    expect(same(a, structuredClone(a))).toBe(true)
  })
})

describe('diffUsers', () => {
  it('knows users by their id, however it is written', () => {
    const before = vmessUsers(read(text([{ id: id(1), email: 'a' }, { id: id(2) }, { id: id(3) }])))
    const after = vmessUsers(read(text([{ id: id(4) }, { id: id(2).toUpperCase() }, { id: id(1), email: 'b' }])))
    const { added, changed, removed } = diffUsers(before, after)
    expect(added).toEqual([after[0]])
    expect(changed).toEqual([{ before: before[0], after: after[2] }])
    expect(removed).toEqual([before[2]])
  })
})

describe('limitsByEmail', () => {
  it('has every e-mail once, whatever its case', () => {
    const config = read(
      text([{ id: id(1), email: 'A@b', limits: { quota: 5 } }, { id: id(2), email: 'c' }, { id: id(3) }]),
    )
    const limits = limitsByEmail(config)
    expect([...limits.keys()]).toEqual(['a@b', 'c'])
    expect(limits.get('a@b')).toMatchObject({ quota: 5, enabled: true })
  })
})

describe('pairUp', () => {
  const entry = (tag: string, protocol: string, port: number) => ({ tag, protocol, port })
  const alike = (a: { port: number }, b: { port: number }) => a.port === b.port

  it('goes by tag first, then by likeness, then by protocol and order', () => {
    const before = [
      entry('x', 'vmess', 1),
      entry('', 'socks', 2),
      entry('', 'http', 3),
      entry('', 'http', 4),
      entry('y', 'vmess', 5),
    ]
    const after = [
      entry('', 'http', 9),
      entry('', 'socks', 2),
      entry('y', 'socks', 1),
      entry('', 'http', 3),
      entry('z', 'vmess', 1),
    ]
    const { pairs, added, removed } = pairUp(before, after, alike)
    expect(pairs.map((pair) => [before.indexOf(pair.before), after.indexOf(pair.after)])).toEqual([
      [3, 0],
      [1, 1],
      [4, 2],
      [2, 3],
    ])
    expect(added).toEqual([after[4]])
    expect(removed).toEqual([before[0]])
  })
})
