/** blackhole in the messages of the gRPC API. */
import type { Typed } from '../../messages/fields.ts'
import { invalid } from '../../messages/status.ts'
import { given } from '../../messages/values.ts'

export const blackholeOutboundJson = ({ fields }: Typed): object =>
  given({ response: responseJson(fields.typed('response')) })

function responseJson(response: Typed | undefined): object | undefined {
  if (!response || response.name === 'proxy.blackhole.NoneResponse') return undefined
  if (response.name === 'proxy.blackhole.HTTPResponse') return { type: 'http' }
  throw invalid(`"${response.type}" is no response of a blackhole`)
}
