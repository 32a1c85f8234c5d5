/** Protocols by their full message names: the only way to users with more than an id, and to a blackhole that answers. */
import type { Report } from '../../schema/report.ts'
import type { JsonNode } from '../../schema/tree.ts'
import { Fields } from './fields.ts'
import { list, type Origin, object, text } from './nodes.ts'

const securities = ['UNKNOWN', 'LEGACY', 'AUTO', 'AES128_GCM', 'CHACHA20_POLY1305', 'NONE', 'ZERO'] as const
const securityWords = {
  UNKNOWN: 'auto',
  LEGACY: 'aes-128-cfb',
  AUTO: 'auto',
  AES128_GCM: 'aes-128-gcm',
  CHACHA20_POLY1305: 'chacha20-poly1305',
  NONE: 'none',
  ZERO: 'zero',
} as const

export function vmessInboundMessage(at: Origin, report: Report): JsonNode {
  const fields = new Fields(at, ['user', 'default', 'detour', 'secureEncryptionOnly'], report)
  const usual = fields.fields('default', ['level', 'alterId'])
  const detour = fields.fields('detour', ['to'])
  return object(at, {
    clients: list(
      fields.origin('user'),
      fields.items('user').map((item) => user(item, report)),
    ),
    default: fields.has('default')
      ? object(usual.at, { level: usual.numberNode('level'), alterId: usual.numberNode('alterId') })
      : undefined,
    detour: fields.has('detour') ? object(detour.at, { to: detour.node('to') }) : undefined,
    disableInsecureEncryption: fields.node('secureEncryptionOnly'),
  })
}

export function vmessOutboundMessage(at: Origin, report: Report): JsonNode {
  const fields = new Fields(at, ['Receiver'], report)
  const servers = fields.items('Receiver').map((item) => {
    const server = new Fields(item, ['address', 'port', 'user'], report)
    return object(item, {
      address: server.node('address'),
      port: server.numberNode('port'),
      users: list(
        server.origin('user'),
        server.items('user').map((each) => user(each, report)),
      ),
    })
  })
  return object(at, { vnext: list(fields.origin('Receiver'), servers) })
}

const responses = {
  'types.v2fly.org/v2ray.core.proxy.blackhole.HTTPResponse': 'http',
  'types.v2fly.org/v2ray.core.proxy.blackhole.NoneResponse': 'none',
} as const

export function blackholeMessage(at: Origin, report: Report): JsonNode {
  const fields = new Fields(at, ['response'], report)
  const response = fields.fields('response', ['@type'])
  const type = response.word('@type', Object.keys(responses) as (keyof typeof responses)[])
  return object(at, {
    response: type && object(response.at, { type: text(response.origin('@type'), responses[type]) }),
  })
}

function user(at: Origin, report: Report): JsonNode {
  const fields = new Fields(at, ['level', 'email', 'account'], report)
  const account = fields.fields('account', ['@type', 'id', 'alterId', 'testsEnabled', 'securitySettings'])
  const security = account.fields('securitySettings', ['type']).word('type', securities)
  return object(at, {
    id: account.node('id'),
    alterId: account.numberNode('alterId'),
    security: security && text(account.origin('securitySettings'), securityWords[security]),
    experiments: account.node('testsEnabled'),
    level: fields.numberNode('level'),
    email: fields.node('email'),
  })
}
