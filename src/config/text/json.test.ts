import fc from 'fast-check'
import { type ParseError, parseTree, type Node as RawNode } from 'jsonc-parser'
import { describe, expect, it } from 'vitest'
import { Report } from '../../schema/report.ts'
import { itemsOf, type JsonNode, type Source } from '../../schema/tree.ts'
import { readJson } from './json.ts'

const sourceOf = (text: string): Source => ({ name: 'c.json', order: 0, text })

function read(text: string) {
  const report = new Report()
  const node = readJson(sourceOf(text), text.length, report)
  return {
    node,
    warnings: () => report.problems(false).map(({ message, path, column }) => ({ message, path, column })),
  }
}

/** What the parser of the editor makes of it; undefined where it finds fault. */
function byLibrary(text: string): RawNode | undefined {
  const errors: ParseError[] = []
  const node = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false })
  return errors.length === 0 ? node : undefined
}

/** Values and places, of objects without twins. */
const ours = (node: JsonNode): unknown => [
  node.offset,
  node.length,
  node.type,
  node.type === 'object'
    ? node.entries.map(({ key, keyOffset, value }) => [key, keyOffset, ours(value)])
    : node.type === 'array'
      ? node.items.map(ours)
      : node.type === 'null'
        ? null
        : node.value,
]
const theirs = ({ offset, length, type, value, children = [] }: RawNode): unknown => [
  offset,
  length,
  type,
  type === 'object'
    ? children.map(({ children: pair }) => [pair![0]!.value, pair![0]!.offset, theirs(pair![1]!)])
    : type === 'array'
      ? children.map(theirs)
      : value,
]

const blanks = fc.constantFrom('', ' ', '\n', '\r\n\t')
const written = fc
  .tuple(fc.jsonValue({ maxDepth: 4 }), blanks)
  .map(([value, blank]) => JSON.stringify(value, undefined, blank.length).replaceAll('":', `"${blank}:${blank}`))

describe('JSON that is in order', () => {
  it('is read as by the parser that tells of faults: values and places', () => {
    fc.assert(
      fc.property(written, (text) => {
        const library = byLibrary(text)
        const { node } = read(text)
        expect(node && ours(node)).toEqual(library && theirs(library))
      }),
    )
  })

  it('is told from what is not in order as by that parser', () => {
    const piece = fc.constantFrom(...'{}[],:"\\-+.0123eEtrufalsn \n\u0001é\u00a0'.split(''), '\\u00e9', 'true', '"a"')
    fc.assert(
      fc.property(written, fc.nat(), fc.nat(3), fc.array(piece, { maxLength: 3 }), (text, at, cut, pieces) => {
        const from = at % (text.length + 1)
        const broken = text.slice(0, from) + pieces.join('') + text.slice(from + cut)
        expect(read(broken).node !== undefined).toBe(byLibrary(broken) !== undefined)
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    '1',
    '-0',
    '1.5e-3',
    '1E+2',
    'null',
    'true',
    '"\\u00e9\\n\\""',
    '[]',
    '{}',
    ' [ ] ',
    '{"a":{}}',
    '1e999',
  ])('can be %j', (text) => {
    expect(ours(read(text).node!)).toEqual(theirs(byLibrary(text)!))
  })

  it.each([
    '',
    '-',
    '01',
    '1.',
    '.5',
    '1e',
    '+1',
    '"',
    '"\\x"',
    '"\\u12"',
    '"\t"',
    '[1,]',
    '{"a":1,}',
    '{"a"}',
    'nul',
    '[1] 2',
  ])('cannot be %j', (text) => {
    expect([read(text).node, byLibrary(text)]).toEqual([undefined, undefined])
  })
})

describe('keys that stand twice', () => {
  const manyKeys = Array.from({ length: 40 }, (_, i) => `"k${i}": ${i}`).join(', ')

  it.each([
    ['{"a": 1, "b": 2, "a": 3}', 17, 'a'],
    [`{${manyKeys}, "k3": 3}`, manyKeys.length + 3, 'k3'],
    [`{"k3": 0, ${manyKeys}}`, manyKeys.indexOf('"k3"') + 10, 'k3'],
  ])('count once, the last of them, and are told: %s', (text, offset, key) => {
    const { node, warnings } = read(text)
    expect(node?.type === 'object' && node.entries.filter((entry) => entry.key === key)).toHaveLength(1)
    const message = `the key "${key}" stands twice; the last one counts`
    expect(warnings()).toEqual([{ message, path: key, column: offset + 1 }])
  })

  it('are not told of a text that is not in order', () => {
    expect(read('{"a": 1, "a": 2').warnings()).toEqual([])
  })
})

describe('a long list', () => {
  const items = Array.from({ length: 200 }, (_, i) => ({ n: i, list: [i, { deep: `text number ${i}` }] }))
  const text = JSON.stringify({ above: items })
  const listIn = (node: JsonNode | undefined) => {
    const list = node?.type === 'object' ? node.entries[0]?.value : undefined
    if (list?.type !== 'array') throw new Error('no list')
    return list
  }

  it('is the same one by one and as a whole', () => {
    const list = listIn(read(text).node)
    const each = itemsOf(list)
    const oneByOne = Array.from({ length: each.length }, (_, i) => ours(each.at(i)))
    expect(oneByOne).toEqual(list.items.map(ours))
    expect(ours(read(text).node!)).toEqual(theirs(byLibrary(text)!))
  })

  it('is told apart from a copy with other items', () => {
    const list = listIn(read(text).node)
    expect(itemsOf({ ...list, items: list.items.slice(0, 2) }).length).toBe(2)
    expect(itemsOf({ ...list }).length).toBe(200)
  })

  it('is not in order when a late item is not', () => {
    const at = text.indexOf('text number 180')
    expect(read(`${text.slice(0, at)}\u0001${text.slice(at)}`).node).toBeUndefined()
    expect(read(text.replace('{"n":199', '{"n" 199')).node).toBeUndefined()
  })

  it('tells of twins in an item when it is read, and where they are', () => {
    const { node, warnings } = read(text.replace('"n":150', '"n":1,"n":150'))
    listIn(node).items
    expect(warnings()).toMatchObject([{ path: 'above[150].n' }])
  })
})
