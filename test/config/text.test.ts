/** The text before it is decoded, and the result. */
import { describe, expect, test } from 'vitest'
import { loadConfig, loadConfigValue } from '../../src/config/load.ts'
import {
  codesOf,
  configOf,
  errorOf,
  inboundOf,
  load,
  loadText,
  outboundOf,
  quietConfigOf,
  uuid,
  vmessIn,
  vmessOut,
  warningOf,
} from './helpers.ts'

const clients = [{ id: uuid }]

describe('the text', () => {
  test('comments of all kinds, also beside quotes', () => {
    const text = `// one
{ # two
  "log": /* three
  */ { "loglevel": "info", "access": "a#b//c/*d" } // "not" a { bracket
}`
    expect(quietConfigOf(loadText(text)).log).toMatchObject({ level: 'info', access: 'a#b//c/*d' })
  })

  test('positions behind comments are those of the file', () => {
    const text = '{ /* é */ "log": {\n/* x\n */ "loglevel": 5 } }'
    expect(errorOf(loadText(text), 'CFG022')).toMatchObject({ file: 'config.json', line: 3, column: 17 })
  })

  test('a byte-order mark is skipped', () => {
    expect(errorOf(loadText('\uFEFF{"log": 5}'), 'CFG022')).toMatchObject({ line: 1, column: 9 })
  })

  test('a trailing comma is tolerated with a warning', () => {
    const result = loadText('{"log": {"loglevel": "info",},\n "inbounds": [ /* none */ , ],}')
    expect(codesOf(result)).toEqual(['CFG001'])
    const good = loadText('{"log": {"loglevel": "info",},\n "inbounds": [],}')
    expect(good.problems.map(({ code, line, column }) => [code, line, column])).toEqual([
      ['CFG005', 1, 28],
      ['CFG005', 2, 16],
    ])
    expect(good.config!.log.level).toBe('info')
  })

  test('text after the end is ignored with a warning', () => {
    const result = loadText('{"log": {"loglevel": "info"}}\n{"log": {}}')
    expect(configOf(result).log.level).toBe('info')
    expect(warningOf(result, 'CFG004')).toMatchObject({ line: 2, column: 1 })
  })

  test.each([
    'trailing',
    "don't {",
    '} {"a": 1,}',
    '{ "unfinished": ',
    '"',
    '\u0001',
    '['.repeat(5000),
  ])('text after the end need not be JSON: %j', (rest) => {
    const result = loadText(`{"log": {"loglevel": "info"}} // end\n${rest}\n more`)
    expect(configOf(result).log.level).toBe('info')
    expect(codesOf(result)).toEqual(['CFG004'])
    expect(result.problems[0]).toMatchObject({ line: 2, column: 1 })
  })

  test('comments after the end are no text', () => {
    quietConfigOf(loadText('{"log": {"loglevel": "info"}} // end\n# end\n/* } */\n'))
  })

  test('an outermost value without brackets ends the text', () => {
    expect(errorOf(loadText('5 6'), 'CFG001').message).toBe('expected nothing more after this value')
  })

  test.each([
    ['', 'CFG002'],
    ['  \n// nothing\n', 'CFG002'],
    ['[]', 'CFG003'],
    ['"text"', 'CFG003'],
    ['5', 'CFG003'],
    [`${'['.repeat(5000)}`, 'CFG007'],
  ])('%#: no object', (text, code) => {
    errorOf(loadText(text), code)
  })

  test('no text at all', () => {
    errorOf(loadConfig([]), 'CFG009')
  })

  test.each([
    ['{"a": \'b\'}', 1, 7, 'JSON strings stand in double quotes'],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, 'a comma is missing after the value before this place'],
    ['{"a": True}', 1, 7, 'JSON writes true, false and null'],
    ['{"a": 1', 1, 8, undefined],
    ['{"a": / 1}', 1, 7, 'comments are //, # and /* */'],
    ['{"a" 1}', 1, 6, undefined],
    ['{"a": "b\n"}', 1, 7, undefined],
    ['vmess://abc', 1, 1, 'this is a share link: use it with "connect"'],
    ['{"a": 1，\n"b": 2}', 1, 8, 'write "," instead of "，"'],
    ['{"a"： 1}', 1, 5, 'write ":" instead of "："'],
    ['{"پورت": 1، "b": 2}', 1, 11, 'write "," instead of "،"'],
    ['{"a": 1; "b": 2}', 1, 8, 'write "," instead of ";"'],
    ['{\u00a0"a": 1}', 1, 2, 'delete the character here, which cannot be seen: U+00A0'],
    ['{"a": 1,\u200b"b": 2}', 1, 9, 'delete the character here, which cannot be seen: U+200B'],
    ['{"port": 08443}', 1, 11, 'a number has no 0 in front: write 8443'],
    ['{"port": ****}', 1, 10, 'write a value instead of this placeholder'],
    ['{"a": "C:\\v2ray"}', 1, 7, 'write two backslashes for one, or / in the path of a file'],
    ['"inbounds": [], "outbounds": []', 1, 11, 'a configuration stands in braces: { … }'],
    ['<!DOCTYPE html>\n<html></html>', 1, 1, 'this is a web page: download the file itself (“raw”)'],
    [
      '\ufffd\ufffd{\0}\0',
      1,
      1,
      'this file is not in UTF-8: save it in UTF-8, which Windows PowerShell does not by itself',
    ],
  ])('%j is a syntax error at line %d, column %d', (text, line, column, hint) => {
    const problem = errorOf(loadText(text), 'CFG001')
    expect(problem).toMatchObject({ line, column, path: '' })
    expect(problem.hint).toBe(hint)
    const [source, caret] = problem.excerpt!.split('\n')
    expect(caret).toBe(`${' '.repeat(column - 1)}^`)
    expect(text.split('\n')[line - 1]).toContain(source)
  })

  test('the excerpt of a syntax error hides ids and passwords, and keeps the caret in place', () => {
    const text = `{"id": "${uuid}", "pass": "secret", "x": oops}`
    const problem = errorOf(loadText(text), 'CFG001')
    expect(problem.excerpt).not.toContain('51c7')
    expect(problem.excerpt).not.toContain('secret')
    expect(problem.excerpt).toContain('8e3d2f6a')
    const [source, caret] = problem.excerpt!.split('\n')
    expect(source!.slice(caret!.indexOf('^'))).toBe('oops}')
  })

  test('a long line is cut around the place', () => {
    const text = `{"a": "${'x'.repeat(500)}", oops, "b": "${'y'.repeat(500)}"}`
    const [source, caret] = errorOf(loadText(text), 'CFG001').excerpt!.split('\n')
    expect(source!.length).toBeLessThan(110)
    expect(source!.slice(caret!.indexOf('^'))).toMatch(/^oops/)
  })
})

describe('a value instead of a text', () => {
  test('loads, without positions', () => {
    const result = loadConfigValue(vmessOut({ security: 'quantum' }))
    expect(outboundOf(result, 'vmess').settings.servers).toHaveLength(1)
    expect(warningOf(result, 'CFG058')).toMatchObject({ file: '', line: 0, column: 0 })
  })

  test('that JSON cannot hold is an error', () => {
    const cycle: Record<string, unknown> = {}
    cycle.log = cycle
    cycle.inbounds = [cycle]
    expect(errorOf(loadConfigValue(cycle), 'CFG022', 'log').message).toContain('an object inside itself')
    expect(errorOf(loadConfigValue({ log: () => 1 }), 'CFG022').message).toContain('found a function')
  })

  test('undefined is an idle instance', () => {
    quietConfigOf(loadConfigValue(undefined))
  })
})

describe('the result', () => {
  test('strict turns warnings into errors, and leaves infos', () => {
    const file = vmessOut({ security: 'quantum', alterID: 0 })
    expect(load(file).config).toBeDefined()
    const result = load(file, { strict: true })
    expect(result.config).toBeUndefined()
    expect(result.problems.map(({ severity, code }) => [severity, code])).toEqual([
      ['error', 'CFG058'],
      ['info', 'CFG021'],
    ])
  })

  test('all problems come in one run: errors, warnings, infos, each by place', () => {
    const result = load({
      Inbounds: [
        { protocol: 'vmesss' },
        { protocol: 'vmess', port: 'x', settings: { clients: [{ id: 5 }, {}, { id: uuid, lvl: 1 }] } },
      ],
      outbounds: [{ protocol: 'vmess', settings: { address: '', port: '1' } }],
    })
    const shown = result.problems.map(({ severity, path }) => `${severity} ${path}`)
    expect(shown).toEqual([
      'error inbounds[0].port',
      'error inbounds[0].protocol',
      'error inbounds[1].port',
      'error inbounds[1].settings.clients[0].id',
      'error inbounds[1].settings.clients[1].id',
      'error outbounds[0].settings.id',
      'error outbounds[0].settings.address',
      'error outbounds[0].settings.port',
      'warning inbounds[1].settings.clients[2].lvl',
      'info Inbounds',
    ])
  })

  test('is frozen', () => {
    const config = configOf(load(vmessIn({ clients })))
    expect(Object.isFrozen(config)).toBe(true)
    expect(Object.isFrozen(inboundOf(load(vmessIn({ clients })), 'vmess').settings.users[0])).toBe(true)
  })

  test('more problems than anybody reads are counted', () => {
    const result = load(Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`unknown${i}`, 1])))
    expect(result.problems).toHaveLength(1001)
    expect(result.problems.at(-1)).toMatchObject({ code: 'CFG037', message: '2000 more problems are not shown' })
  })
})
