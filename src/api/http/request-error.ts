import type { z } from '@hono/zod-openapi'
import { ApiError } from './errors.ts'

type Issue = z.core.$ZodIssue

/** The first thing that is wrong with a request, with the field it is about. */
export function requestError({ issues }: { readonly issues: readonly Issue[] }): ApiError {
  const [issue] = issues
  if (!issue) return new ApiError(400, 'CONTROL_INVALID', 'the request is not understood')
  const key = issue.code === 'unrecognized_keys' ? [issue.keys[0] ?? ''] : []
  const field = [...issue.path, ...key].map(String).join('.')
  const text = issue.message.replace(/^Invalid input: /, '').replace(/^Too (big|small): /, '')
  const said = text.endsWith('received undefined') ? 'is missing' : text
  const message = field === '' || key.length > 0 ? said : `${field}: ${said}`
  return new ApiError(400, 'CONTROL_INVALID', message, field === '' ? {} : { field })
}
