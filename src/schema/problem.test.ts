import { describe, expect, test } from 'vitest'
import { isProxyError } from '../core/errors.ts'
import { ConfigError, configProblemError, formatProblem, type Problem } from './problem.ts'

const problem: Problem = {
  code: 'CFG051',
  severity: 'error',
  path: 'outbounds[0].settings.id',
  file: 'config.json',
  line: 12,
  column: 17,
  message: 'found one thing',
  hint: 'write another',
}

describe('formatProblem', () => {
  test('is a block: place, severity, path and code; message; hint', () => {
    expect(formatProblem(problem)).toBe(
      'config.json:12:17  error  outbounds[0].settings.id  [CFG051]\n  found one thing\n  hint: write another',
    )
  })

  test('leaves out what is not known', () => {
    const { hint: _, ...rest } = problem
    expect(formatProblem({ ...rest, file: '', line: 0, column: 0, path: '' })).toBe(
      'error  [CFG051]\n  found one thing',
    )
  })

  test('shows an excerpt under the message', () => {
    const lines = formatProblem({ ...problem, excerpt: 'abc\n  ^' }).split('\n')
    expect(lines.slice(1)).toEqual(['  found one thing', '  | abc', '  |   ^', '  hint: write another'])
  })

  test('colours only when asked', () => {
    expect(formatProblem(problem)).not.toContain('\x1b')
    expect(formatProblem(problem, { color: true })).toContain('\x1b[1;31merror\x1b[0m')
  })
})

describe('ConfigError', () => {
  test('is a ProxyError that carries every problem and shows the errors', () => {
    const warning: Problem = { ...problem, severity: 'warning', message: 'something small' }
    const error = configProblemError([problem, warning])
    expect(isProxyError(error)).toBe(true)
    expect(error).toBeInstanceOf(ConfigError)
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', fault: 'config', problems: [problem, warning] })
    expect(error.message).toContain('one error')
    expect(error.message).toContain('found one thing')
    expect(error.message).not.toContain('something small')
  })
})
