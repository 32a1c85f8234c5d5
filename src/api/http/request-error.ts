import type { z } from '@hono/zod-openapi'
import { ApiError } from './errors.ts'

type Issue = z.core.$ZodIssue

/** The first thing that is wrong with a request, with the field it is about. */
export function requestError({ issues }: { readonly issues: readonly Issue[] }): ApiError {
  const [issue] = issues
  if (!issue) return new ApiError(400, 'CONTROL_INVALID', 'the request is not understood')
  const key = issue.code === 'unrecognized_keys' ? [issue.keys[0] ?? ''] : []
  const field = [...issue.path, ...key].map(String).join('.')
  const said = inWords(issue)
  const message = field === '' || key.length > 0 ? said : `${field}: ${said}`
  return new ApiError(400, 'CONTROL_INVALID', message, field === '' ? {} : { field })
}

const kinds: Readonly<Record<string, string>> = {
  array: 'a list is expected',
  boolean: 'true or false is expected',
  int: 'a whole number is expected',
  number: 'a number is expected',
  object: 'an object { … } is expected',
  string: 'a text is expected',
}

/** The library's sentences are for programmers; ours, where a schema has one, are kept. */
function inWords(issue: Issue): string {
  if (issue.message.endsWith('received undefined')) return 'is missing'
  switch (issue.code) {
    case 'invalid_type':
      return kinds[issue.expected] ?? issue.message
    case 'too_small':
      if (issue.origin !== 'string') return `must be ${issue.minimum} or more`
      return issue.minimum === 1 ? 'must not be empty' : `must have ${issue.minimum} characters or more`
    case 'too_big':
      if (issue.origin !== 'string') return `must be ${issue.maximum} or less`
      return `must have ${issue.maximum} characters or less`
    case 'invalid_value':
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`
    default:
      return issue.message
  }
}

/** A body that cannot be parsed, with the place where the parser tells one. */
export function notJson(body: string): ApiError {
  const where = body.trim() === '' ? 'it is empty' : placeIn(body)
  return new ApiError(400, 'CONTROL_INVALID', `the body is not JSON${where === '' ? '' : `: ${where}`}`)
}

function placeIn(body: string): string {
  const said = parseFailure(body)
  const at = /at position (\d+)/.exec(said)?.[1]
  if (at !== undefined) {
    const lines = body.slice(0, Number(at)).split('\n')
    return `see line ${lines.length}, column ${lines.at(-1)!.length + 1}`
  }
  if (said.startsWith('Unexpected end')) return 'it ends too early'
  const token = /^Unexpected token '(.+?)',/su.exec(said)?.[1]
  return token === undefined ? '' : `unexpected ${JSON.stringify(token)}`
}

function parseFailure(text: string): string {
  try {
    JSON.parse(text)
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : ''
  }
}
