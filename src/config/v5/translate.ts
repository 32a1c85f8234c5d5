/** V2Ray 5's own format ("jsonv5") as a tree of V2Ray 4's: one model for both. */
import { join, type Report } from '../../schema/report.ts'
import type { JsonNode, ObjectNode } from '../../schema/tree.ts'
import { translateDns } from './dns.ts'
import { translateInbound, translateOutbound } from './ends.ts'
import { Fields, placeOf } from './fields.ts'
import { translateLog } from './log.ts'
import { list, type Origin, object } from './nodes.ts'
import { translateRouter } from './router.ts'
import { translateServices } from './services.ts'

const known = ['log', 'dns', 'router', 'inbounds', 'outbounds', 'services', 'extension']

/** What is wrong is reported, and left out. Our own keys of the root stay as they are. */
export function translate(root: ObjectNode, own: readonly string[], report: Report): ObjectNode {
  const at: Origin = { node: root, path: '' }
  const fields = new Fields(at, [...known, ...own], report, { anyCase: true })
  if (fields.has('extension')) {
    report.warn(
      'CFG030',
      placeOf(fields.origin('extension')),
      '"extension" has no effect: V2Ray does not use it either',
    )
  }
  const services = fields.has('services') ? translateServices(fields.origin('services'), report) : {}
  const names = fields.has('dns') ? translateDns(fields.origin('dns'), report) : undefined
  return object(at, {
    log: translateLog(fields.origin('log'), report),
    ...services,
    dns: names?.dns,
    fakedns: services.fakedns ?? names?.pools,
    routing: fields.has('router') ? translateRouter(fields.origin('router'), report) : undefined,
    inbounds: each(fields, 'inbounds', translateInbound),
    outbounds: each(fields, 'outbounds', translateOutbound),
    ...Object.fromEntries(own.map((key) => [key, fields.node(key)])),
  })
}

function each(fields: Fields, key: string, one: (at: Origin, report: Report) => JsonNode): JsonNode | undefined {
  if (!fields.has(key)) return undefined
  const at = fields.origin(key)
  if (at.node.type !== 'array') return fields.node(key)
  return list(
    at,
    at.node.items.map((node, i) => one({ node, path: join(at.path, i) }, fields.report)),
  )
}
