/** Conditions of a rule but for names and addresses of the target: what costs nothing to look at. */
import type { PortRange } from '../settings/ports.ts'
import type { RoutingRule } from '../settings/routing.ts'
import { type AddressGroup, inGroups } from './address-groups.ts'
import { ipOf } from './addresses.ts'
import { expressionTest } from './attributes.ts'
import type { FlowView } from './flow-view.ts'
import { regexpTest } from './regexps.ts'

export interface Condition {
  /** Its key in a rule. */
  readonly key: string
  holds(flow: FlowView): boolean
}

const condition = (key: string, holds: (flow: FlowView) => boolean): Condition => ({ key, holds })

/** In the order in which they are looked at. `groups` brings the groups of a condition on addresses. */
export function conditionsOf(
  rule: RoutingRule,
  groups: (key: 'sources' | 'locals') => readonly AddressGroup[],
): readonly Condition[] {
  const list: Condition[] = []
  const { inboundTags, networks, protocols, ports, sourcePorts, localPorts, users, attributes } = rule
  if (inboundTags) {
    const tags = new Set(inboundTags.filter((tag) => tag !== ''))
    list.push(condition('inboundTag', (flow) => tags.has(flow.inboundTag)))
  }
  if (networks) {
    const [tcp, udp] = [networks.includes('tcp'), networks.includes('udp')]
    list.push(condition('network', (flow) => (flow.network === 'tcp' ? tcp : udp)))
  }
  if (protocols) {
    const beginnings = protocols.filter((word) => word !== '')
    list.push(condition('protocol', ({ protocol }) => beginnings.some((word) => protocol.startsWith(word))))
  }
  if (ports) list.push(condition('port', ({ port }) => within(ports, port)))
  if (sourcePorts) list.push(condition('sourcePort', ({ sourcePort }) => within(sourcePorts, sourcePort)))
  if (localPorts) list.push(condition('localPort', ({ localPort }) => within(localPorts, localPort)))
  if (users) list.push(condition('user', ofUsers(users)))
  if (attributes) list.push(condition('attrs', ofAttributes(attributes)))
  if (rule.sources) {
    const wanted = groups('sources')
    list.push(condition('source', ({ sourceHost }) => hostIn(wanted, sourceHost)))
  }
  if (rule.locals) {
    const wanted = groups('locals')
    list.push(condition('localIP', ({ localHost }) => hostIn(wanted, localHost)))
  }
  return list
}

function hostIn(groups: readonly AddressGroup[], host: string): boolean {
  const ip = ipOf(host.replace(/%.*$/, ''))
  return ip !== undefined && inGroups(groups, ip)
}

function within(ranges: readonly PortRange[], port: number): boolean {
  for (const { from, to } of ranges) if (port >= from && port <= to) return true
  return false
}

function ofUsers(users: NonNullable<RoutingRule['users']>): (flow: FlowView) => boolean {
  const names = new Set(users.flatMap(({ kind, value }) => (kind === 'full' && value !== '' ? value : [])))
  const tests = users.flatMap(({ kind, value }) => (kind === 'regexp' ? regexpTest(value) : []))
  return ({ user }) => user !== '' && (names.has(user) || tests.some((test) => test(user)))
}

function ofAttributes(rule: NonNullable<RoutingRule['attributes']>): (flow: FlowView) => boolean {
  if (rule.kind === 'expression') {
    const test = expressionTest(rule.text)
    return ({ attributes }) => attributes !== undefined && test(attributes)
  }
  const wanted = Object.entries(rule.headers).map(([name, text]) => [name.toLowerCase(), regexpTest(text)] as const)
  return ({ attributes, seenAttributes }) => {
    const all = attributes ?? seenAttributes
    if (!all) return false
    return wanted.every(([name, test]) => Object.hasOwn(all, name) && test(all[name]!))
  }
}
