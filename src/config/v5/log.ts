/** `log`: two objects where the other format has three words. */

import type { Report } from '../../schema/report.ts'
import type { JsonNode } from '../../schema/tree.ts'
import { Fields, placeOf } from './fields.ts'
import { type Origin, object, text } from './nodes.ts'

const types = ['None', 'Console', 'File', 'Event'] as const
const levels = ['Unknown', 'Error', 'Warning', 'Info', 'Debug'] as const

/** Access is off, and errors go to the console at warning, unless something else is said. */
export function translateLog(at: Origin, report: Report): JsonNode {
  const log = new Fields(at, ['access', 'error'], report)
  const error = part(log, 'error', report)
  return object(log.at, {
    access: part(log, 'access', report)?.path ?? text(log.at, 'none'),
    error: error?.path,
    loglevel: error?.level,
  })
}

function part(log: Fields, key: 'access' | 'error', report: Report): { path?: JsonNode; level?: JsonNode } | undefined {
  if (!log.has(key)) return undefined
  const at = log.origin(key)
  const fields = new Fields(at, ['type', 'level', 'path'], report)
  const type = fields.word('type', types) ?? 'None'
  const level = fields.word('level', levels)
  if (type === 'Event')
    report.error('CFG025', placeOf(fields.origin('type')), '"Event" is known to V2Ray and cannot be used there either')
  if (type === 'File' && !fields.text('path'))
    report.error('CFG024', placeOf(fields.origin('path')), 'this log has no "path"')
  if (type !== 'None' && key === 'error' && (level === undefined || level === 'Unknown')) {
    const message = 'without a "level" V2Ray would print nothing; Warning is used'
    report.warn('CFG026', placeOf(at), message, 'write "level": "Warning"')
  }
  const path = type === 'File' ? fields.node('path') : text(at, type === 'None' ? 'none' : '')
  const word = level === undefined || level === 'Unknown' ? 'warning' : level.toLowerCase()
  return { ...(path && { path }), level: text(fields.origin('level'), type === 'None' ? 'none' : word) }
}
