/** ds in the messages of the gRPC API. */
import type { Typed } from '../../messages/fields.ts'
import type { MessageForm } from '../../messages/form.ts'
import { given } from '../../messages/values.ts'

export const dsMessage: MessageForm = {
  name: 'transport.internet.domainsocket.Config',
  fields: {
    path: { id: 1, type: 'string' },
    abstract: { id: 2, type: 'bool' },
    padding: { id: 3, type: 'bool' },
    accept_proxy_protocol: { id: 4, type: 'bool' },
  },
  json: ({ fields }: Typed): object =>
    given({
      path: fields.text('path'),
      abstract: fields.flag('abstract'),
      padding: fields.flag('padding'),
      acceptProxyProtocol: fields.flag('accept_proxy_protocol'),
    }),
}
