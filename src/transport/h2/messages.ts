/** h2 in the messages of the gRPC API. */
import type { Typed } from '../../messages/fields.ts'
import { given } from '../../messages/values.ts'

export function h2Json({ fields }: Typed): object {
  const headers = fields.messages('header').map((header) => [header.text('name'), header.values<string>('value')])
  return given({
    host: fields.values<string>('host'),
    path: fields.text('path'),
    method: fields.text('method'),
    headers: Object.fromEntries(headers),
    read_idle_timeout: fields.number('idle_timeout'),
    health_check_timeout: fields.number('health_check_timeout'),
    parseXForwardedFor: fields.flag('parse_x_forwarded_for'),
  })
}
