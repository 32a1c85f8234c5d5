import { describe, expect, test } from 'vitest'
import { loadConfig, type MergeMode } from '../../src/config/load.ts'
import { configOf, errorOf, quietConfigOf, warningOf } from './helpers.ts'

const inbound = (tag: string | undefined, port: number) => ({
  protocol: 'http',
  listen: '127.0.0.1',
  port,
  ...(tag && { tag }),
})
const outbound = (tag: string | undefined, protocol = 'freedom') => ({ protocol, ...(tag && { tag }) })
const merge = (files: Readonly<Record<string, unknown>>, mode?: MergeMode) =>
  loadConfig(
    Object.entries(files).map(([name, value]) => ({ name, text: JSON.stringify(value, null, 1) })),
    mode && { merge: mode },
  )
const ports = (result: ReturnType<typeof merge>) =>
  configOf(result).inbounds.map(({ listen }) => listen[0]!.address.port)
const tags = (result: ReturnType<typeof merge>) => configOf(result).outbounds.map(({ tag }) => tag)

describe('by default', () => {
  test('objects are replaced whole', () => {
    const result = merge({ a: { log: { loglevel: 'info', access: '/a' } }, b: { log: { error: '/e' } } })
    expect(quietConfigOf(result).log).toMatchObject({ level: 'warning', access: '', error: '/e' })
    expect(result.decisions).toEqual(['[b] replaced log'])
  })

  test('inbounds of the same tag are replaced, others appended, also from a long list', () => {
    const result = merge({
      a: { inbounds: [inbound('x', 1), inbound('y', 2)], outbounds: [outbound('o')] },
      b: { inbounds: [inbound('z', 3), inbound('x', 4)] },
    })
    expect(ports(result)).toEqual([4, 2, 3])
    expect(result.decisions).toEqual(['[b] appended inbound with tag: z', '[b] updated inbound with tag: x'])
  })

  test('entries without a tag never replace each other', () => {
    expect(
      ports(
        merge({
          a: { inbounds: [inbound(undefined, 1)], outbounds: [outbound('o')] },
          b: { inbounds: [inbound(undefined, 2)] },
        }),
      ),
    ).toEqual([1, 2])
  })

  test('new outbounds go in front as a block, or to the end from a file named tail', () => {
    const a = { outbounds: [outbound('a')] }
    expect(tags(merge({ a, b: { outbounds: [outbound('b'), outbound('c')] } }))).toEqual(['b', 'c', 'a'])
    const tail = merge({ a, '99_TAIL.json': { outbounds: [outbound('b'), outbound('a', 'blackhole')] } })
    expect(tags(tail)).toEqual(['a', 'b'])
    expect(configOf(tail).outbounds[0]!.protocol).toBe('blackhole')
    expect(tail.decisions).toEqual([
      '[99_TAIL.json] appended outbound with tag: b',
      '[99_TAIL.json] updated outbound with tag: a',
    ])
  })

  test('env is merged by name', () => {
    const port = {
      inbounds: [
        { ...inbound('x', 1), port: 'env:A' },
        { ...inbound('y', 1), port: 'env:B' },
      ],
      outbounds: [outbound('o')],
    }
    expect(ports(merge({ a: { ...port, env: { A: '1', B: '2' } }, b: { env: { B: '3' } } }))).toEqual([1, 3])
  })

  test('keys meet in any letter case, and null leaves what is there', () => {
    expect(configOf(merge({ a: { log: { loglevel: 'info' } }, b: { LOG: { loglevel: 'error' } } })).log.level).toBe(
      'error',
    )
    expect(configOf(merge({ a: { log: { loglevel: 'info' } }, b: { log: null } })).log.level).toBe('info')
  })

  test('the first file may have the old forms', () => {
    const result = merge({
      a: { inbound: inbound('x', 1), outbound: outbound('o') },
      b: { inbounds: [inbound('y', 2)] },
    })
    expect(ports(result)).toEqual([1, 2])
  })

  test('problems point into the file they come from', () => {
    const result = merge({
      'a.json': { inbounds: [inbound('x', 1)], outbounds: [outbound('o')] },
      'b.json': { inbounds: [{ ...inbound('y', 2), port: 'x' }] },
    })
    expect(errorOf(result, 'CFG029', 'inbounds[1].port')).toMatchObject({ file: 'b.json', line: 6, column: 12 })
  })

  test('a text that is no JSON stops everything, and all of them are named', () => {
    const result = loadConfig([
      { name: 'a', text: '{' },
      { name: 'b', text: '{"log": 5}' },
      { name: 'c', text: ']' },
    ])
    expect(result.problems.map(({ file, code }) => `${file} ${code}`)).toEqual(['a CFG001', 'c CFG001'])
    expect(result.config).toBeUndefined()
  })
})

describe('v4', () => {
  test('a file with one entry replaces or adds; a longer list replaces the list', () => {
    const a = { inbounds: [inbound('x', 1), inbound('y', 2)], outbounds: [outbound('a')] }
    expect(ports(merge({ a, b: { inbounds: [inbound('y', 3)] } }, 'v4'))).toEqual([1, 3])
    const long = merge(
      { a, b: { inbounds: [inbound('z', 3), inbound('x', 4)], outbounds: [outbound('b'), outbound('c')] } },
      'v4',
    )
    expect(ports(long)).toEqual([3, 4])
    expect(tags(long)).toEqual(['b', 'c'])
    expect(long.decisions).toEqual(['[b] replaced inbounds', '[b] replaced outbounds'])
  })
})

describe('v5', () => {
  test('objects are merged key by key, null keeps the old value', () => {
    const result = merge(
      { a: { log: { loglevel: 'info', access: '/a' } }, b: { log: { loglevel: 'error', access: null } } },
      'v5',
    )
    expect(configOf(result).log).toMatchObject({ level: 'error', access: '/a' })
  })

  test('lists are joined; entries of one tag become one', () => {
    const result = merge(
      {
        a: { inbounds: [{ ...inbound('x', 1), settings: { userLevel: 3 } }], outbounds: [outbound('o')] },
        b: { inbounds: [{ tag: 'x', port: 9 }, inbound('y', 2)] },
      },
      'v5',
    )
    expect(ports(result)).toEqual([9, 2])
    expect(configOf(result).inbounds[0]!.settings).toMatchObject({ level: 3 })
    expect(result.decisions).toContain('[b] merged inbounds with tag: x')
  })

  test('_priority orders, _tag joins, and both are gone afterwards', () => {
    const result = merge(
      {
        a: { outbounds: [outbound('a'), { ...outbound(undefined), _tag: 'q' }] },
        b: {
          outbounds: [
            { ...outbound('b'), _priority: -1 },
            { _tag: 'q', tag: 'named' },
          ],
        },
      },
      'v5',
    )
    expect(tags(result)).toEqual(['b', 'a', 'named'])
    quietConfigOf(result)
  })

  test('values of different kinds cannot be merged', () => {
    expect(
      errorOf(
        merge({ a: { dns: { hosts: { x: '1.1.1.1' } } }, b: { dns: { hosts: [] } } }, 'v5'),
        'CFG008',
        'dns.hosts',
      ).message,
    ).toContain('in a')
  })

  test('two entries of one tag in one file are merged into one', () => {
    expect(
      ports(merge({ a: { inbounds: [inbound('x', 1), inbound('x', 2)], outbounds: [outbound('o')] } }, 'v5')),
    ).toEqual([2])
  })

  test('helper keys are unknown otherwise', () => {
    warningOf(merge({ a: { outbounds: [{ ...outbound('a'), _priority: 1 }] } }), 'CFG020', 'outbounds[0]._priority')
  })
})
