/** grpc in the messages of the gRPC API. */
import type { Typed } from '../../messages/fields.ts'
import { given } from '../../messages/values.ts'

/** V2Ray's `host` does nothing there. */
export function grpcJson({ fields }: Typed): object {
  fields.text('host')
  return given({
    authority: fields.text('authority'),
    serviceName: fields.text('service_name'),
    multiMode: fields.flag('multi_mode'),
    idle_timeout: fields.number('idle_timeout'),
    health_check_timeout: fields.number('health_check_timeout'),
    permit_without_stream: fields.flag('permit_without_stream'),
    initial_windows_size: fields.number('initial_windows_size'),
    user_agent: fields.text('user_agent'),
    parseXForwardedFor: fields.flag('parse_x_forwarded_for'),
  })
}
