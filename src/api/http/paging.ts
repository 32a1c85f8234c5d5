/** Pages of lists: callers get the key of the last item in a form that invites nobody to make one up. */
import { z } from '@hono/zod-openapi'
import type { PageQuery } from '../../control/page.ts'

export const nextSchema = z
  .string()
  .optional()
  .openapi({ description: 'There are more: what to ask for as `cursor`. Absent on the last page.' })

export const pageOfQuery = ({
  cursor,
  limit,
}: {
  cursor?: string | undefined
  limit?: string | undefined
}): PageQuery<string> => ({
  after: cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString(),
  limit: limit === undefined ? undefined : Number(limit),
})

export const nextJson = (next: string | number | undefined): { next?: string } =>
  next === undefined ? {} : { next: Buffer.from(String(next)).toString('base64url') }
