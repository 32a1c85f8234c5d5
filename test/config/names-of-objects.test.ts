/** Words that JavaScript objects have a meaning for are words like any other. */
import { describe, expect, test } from 'vitest'
import { loadConfigValue } from '../../src/config/load.ts'
import { codesOf, errorOf, loadText, uuid, warningOf } from './helpers.ts'

const words = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf', 'isPrototypeOf']

/** A file with `KEY` somewhere in it. */
const places = [
  ['the outermost object', '{"KEY": {}}', 'KEY'],
  ['an inbound', '{"inbounds": [{"protocol": "http", "port": 1, "listen": "::1", "KEY": 1}]}', 'inbounds[0].KEY'],
  ['settings', '{"outbounds": [{"protocol": "freedom", "settings": {"KEY": []}}]}', 'outbounds[0].settings.KEY'],
  ['log', '{"log": {"KEY": "x", "access": "none"}}', 'log.KEY'],
  [
    'a stream',
    '{"outbounds": [{"protocol": "freedom", "streamSettings": {"KEY": {}}}]}',
    'outbounds[0].streamSettings.KEY',
  ],
  ['a rule', '{"routing": {"rules": [], "KEY": true}}', 'routing.KEY'],
] as const

describe.each(words)('%s', (word) => {
  test.each(places)('as a key in %s is an unknown key', (_title, text, path) => {
    const problem = warningOf(loadText(text.replace('KEY', word)), 'CFG020', path.replace('KEY', word))
    expect(problem.message).toBe(`unknown key "${word}"; it is ignored`)
    expect(problem.hint === undefined || typeof problem.hint === 'string').toBe(true)
  })

  test('as a key of limits is one that nobody knows', () => {
    const clients = `[{"id": "${uuid}", "email": "a@b", "limits": {"${word}": 1}}]`
    const text = `{"inbounds": [{"protocol": "vmess", "port": 1, "settings": {"clients": ${clients}}}]}`
    expect(codesOf(loadText(text))).toContain('CFG040')
  })

  test('as a key of a value that was never text', () => {
    const value = JSON.parse(`{"outbounds": [{"protocol": "freedom"}], "${word}": {"${word}": 1}}`)
    expect(codesOf(loadConfigValue(value))).toEqual(['CFG020'])
  })

  test.each([
    ['network', 'CFG100', `{"network": "${word}"}`],
    ['security', 'CFG101', `{"security": "${word}"}`],
    ['cipherSuites', 'CFG107', `{"security": "tls", "tlsSettings": {"cipherSuites": "${word}"}}`],
    ['curvePreferences', 'CFG107', `{"security": "tls", "tlsSettings": {"curvePreferences": ["${word}"]}}`],
  ])('as a value of %s', (_title, code, stream) => {
    const result = loadText(`{"outbounds": [{"protocol": "freedom", "streamSettings": ${stream}}]}`)
    expect(codesOf(result)).toContain(code)
    for (const { message, hint } of result.problems) expect(`${message}${hint}`).not.toMatch(/native code|\[object/)
  })

  test('as a protocol, a level and a mask', () => {
    errorOf(loadText(`{"outbounds": [{"protocol": "${word}"}]}`), 'CFG080')
    warningOf(loadText(`{"log": {"loglevel": "${word}"}}`), 'CFG026')
    errorOf(loadText(`{"log": {"maskAddress": "${word}"}}`), 'CFG025')
  })
})
