import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ProxyError } from '../../core/errors.ts'
import type { LogConfig } from '../../settings/model.ts'
import { createLogger, type LogOptions } from './log.ts'

const at = new Date(2026, 10, 21, 6, 7, 8, 90).getTime()
const config: LogConfig = { access: 'none', error: '', level: 'warning', maskAddress: '' }

let folder: string
let printed: string[]
let complaints: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmess-log-'))
  printed = []
  complaints = []
})
afterEach(() => rmSync(folder, { recursive: true }))

const options = (over: Partial<LogOptions> = {}): LogOptions => ({
  json: false,
  color: false,
  stdout: { write: (text) => printed.push(text) },
  stderr: { write: (text) => complaints.push(text) },
  clock: { now: () => at, elapsed: () => 0, after: () => () => {} },
  ...over,
})

const lineOf = (fields: Record<string, unknown>, over: Partial<LogOptions> = {}, changed: Partial<LogConfig> = {}) => {
  createLogger({ ...config, ...changed }, options(over)).log.warn(fields, 'something happened')
  return printed.at(-1)
}

describe('the log as text', () => {
  it('writes time, level, message and fields in one line', () => {
    expect(lineOf({ inbound: 'in', count: 3, ok: true, note: 'two words', list: [1, 'a'] })).toBe(
      '2026/11/21 06:07:08 [Warning] something happened inbound=in count=3 ok=true note="two words" list=[1,"a"]\n',
    )
  })

  it('leaves out undefined fields, and shows an error by code and message', () => {
    const error = new ProxyError('DIAL_REFUSED', 'nothing listens there', { cause: new Error('ECONNREFUSED') })
    expect(lineOf({ none: undefined, err: error })).toBe(
      '2026/11/21 06:07:08 [Warning] something happened err={"code":"DIAL_REFUSED","message":"nothing listens there","cause":"ECONNREFUSED"}\n',
    )
  })

  it('cannot be made to write a second line or an escape sequence', () => {
    createLogger(config, options()).log.warn({ a: 'x\nforged', b: '\u001b[2J' }, 'bad\r\n2026/11/21 [Error] forged')
    expect(printed).toHaveLength(1)
    expect(printed[0]!.slice(0, -1)).toMatch(/^[\x20-\x7e]+$/)
  })

  it('colours the level alone, and only when asked', () => {
    expect(lineOf({}, { color: true })).toBe('2026/11/21 06:07:08 \u001b[33m[Warning]\u001b[0m something happened\n')
  })

  it.each([
    ['debug', 4],
    ['info', 3],
    ['warning', 2],
    ['error', 1],
    ['none', 0],
  ] as const)('level %s lets %i of four lines through', (level, count) => {
    const { log } = createLogger({ ...config, level }, options())
    log.debug({}, 'd')
    log.info({}, 'i')
    log.warn({}, 'w')
    log.error({}, 'e')
    expect(printed).toHaveLength(count)
  })
})

describe('the log as JSON', () => {
  it('writes one object per line', () => {
    expect(JSON.parse(lineOf({ inbound: 'in', nested: { a: [1] } }, { json: true })!)).toEqual({
      level: 'warning',
      time: new Date(at).toISOString(),
      inbound: 'in',
      nested: { a: [1] },
      msg: 'something happened',
    })
  })

  it('survives values that JSON cannot hold', () => {
    const circular: Record<string, unknown> = { big: 1n }
    circular.self = circular
    const line = JSON.parse(lineOf({ circular, run: () => {}, bytes: new Uint8Array(5) }, { json: true })!)
    expect(line).toMatchObject({ circular: { big: '1', self: '[circular]' }, bytes: '[5 bytes]' })
  })
})

describe('secrets', () => {
  const id = '5783a3e7-e373-51cd-8642-c83782b807c5'

  it.each([true, false])('are cut out by the names of their fields (JSON: %s)', (json) => {
    const line = lineOf(
      { id, user: { UUID: id, pass: 'hunter2', list: [{ password: 'hunter2' }] }, key: 'hunter2', token: 5 },
      { json },
    )
    expect(line).not.toContain('hunter2')
    expect(line).not.toContain(id.slice(9))
    expect(line).toContain('5783a3e7…')
    expect(line).toContain('[redacted]')
  })

  it('spare numbers that are called id', () => {
    expect(lineOf({ id: 42 })).toContain('id=42')
  })

  it('do not slip out through a stack: only debug shows those of unexpected errors', () => {
    expect(lineOf({ err: new TypeError('x') })).not.toContain('log.test.ts')
    expect(lineOf({ err: new TypeError('x') }, {}, { level: 'debug' })).toContain('log.test.ts')
  })
})

describe('log files', () => {
  it('are created, and appended to', async () => {
    const path = join(folder, 'error.log')
    writeFileSync(path, 'before\n')
    const log = createLogger({ ...config, error: path }, options())
    log.log.error({}, 'later')
    await log.close()
    expect(readFileSync(path, 'utf8')).toBe('before\n2026/11/21 06:07:08 [Error] later\n')
    expect(printed).toEqual([])
  })

  it('hold every line as soon as it is written', () => {
    const path = join(folder, 'error.log')
    const { log } = createLogger({ ...config, error: path }, options())
    log.error({}, 'now')
    expect(readFileSync(path, 'utf8')).toContain('now')
  })

  it.each([
    ['a missing directory', 'no/such/error.log', 'its directory does not exist'],
    ['a directory', '.', 'it is a directory'],
  ])('fail the start in words: %s', (_title, name, words) => {
    const create = () => createLogger({ ...config, error: join(folder, name) }, options())
    expect(create).toThrow(expect.objectContaining({ code: 'LOG_FAILED' }))
    expect(create).toThrow(words)
  })

  it('are opened anew after they were moved away, and not lost when that fails', () => {
    const path = join(folder, 'moved.log')
    const appLog = createLogger({ ...config, error: path }, options())
    appLog.log.warn({}, 'first')
    renameSync(path, `${path}.1`)
    appLog.log.warn({}, 'second')
    appLog.restart()
    appLog.log.warn({}, 'third')
    expect(readFileSync(`${path}.1`, 'utf8')).toMatch(/first.*second/s)
    expect(readFileSync(path, 'utf8')).toMatch(/third/)
    rmSync(path)
    mkdirSync(path)
    expect(() => appLog.restart()).toThrow(/it is a directory/)
    expect(() => appLog.log.warn({}, 'fourth')).not.toThrow()
  })

  it('are not opened at level none, neither of them', () => {
    const missing = join(folder, 'no/such/file')
    createLogger({ ...config, level: 'none', error: missing, access: missing }, options()).log.error({}, 'x')
    expect(printed).toEqual([])
  })
})

it('hides addresses in messages and fields', () => {
  const { log } = createLogger({ ...config, maskAddress: 'half' }, options())
  log.warn({ source: '192.0.2.7:50000', deep: { to: '[2001:db8:1:2::3]:443' } }, 'no answer from 198.51.100.9')
  expect(printed[0]).toBe(
    '2026/11/21 06:07:08 [Warning] no answer from 198.51.*.* source=192.0.*.*:50000 deep={"to":"[2001:db8::/32]:443"}\n',
  )
})
