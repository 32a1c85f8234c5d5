import type { RouteAnswer, RouteQuestion } from '../../control/routing.ts'
import { parseHost } from '../../core/address.ts'
import { isProxyError } from '../../core/errors.ts'
import type { Fields } from '../../messages/fields.ts'
import { given } from '../../messages/values.ts'
import { balancerOf, hostText, ruleOf, unknown } from './routing-rules.ts'
import type { Methods, ServiceDeps } from './service.ts'

/** Every failure is UNKNOWN with these texts, as with Xray, whose commands print them. */
export function routingService({ control, types, log }: ServiceDeps): Methods {
  const tell = (change: string): void => log.warn({}, `gRPC API: ${change}`)
  return {
    TestRoute: async (request) => {
      const context = request.message('RoutingContext')
      const selectors = request.values<string>('FieldSelectors')
      request.flag('PublishResult')
      if (!context) throw unknown('app/router/command: Invalid routing request.')
      const asked = questionOf(context)
      const answer = await asPeers(() => control.testRoute(asked.question))
      if (!answer) throw unknown('common: not enough information for making a decision')
      return chosen(asked.values, answer, selectors)
    },

    GetBalancerInfo: async (request) => {
      const balancer = await control.balancer(request.text('tag'))
      if (!balancer) throw unknown('app/router: cannot find tag')
      const { override, principle } = balancer
      return { balancer: { override: given({ target: override }), principle_target: { tag: principle } } }
    },

    OverrideBalancerTarget: async (request) => {
      const [tag, target] = [request.text('balancerTag'), request.text('target')]
      if (!(await control.balancer(tag))) throw unknown('app/router: cannot find tag')
      await control.overrideBalancer(tag, target)
      tell(
        `balancer ${JSON.stringify(tag)}: ${target === '' ? 'back to its strategy' : `always ${JSON.stringify(target)}`}`,
      )
      return {}
    },

    AddRule: async (request) => {
      const append = request.flag('shouldAppend')
      const config = opened(request, types)
      config.number('domain_strategy')
      const balancers = config.messages('balancing_rule').map(balancerOf)
      const rules = config.messages('rule').map(ruleOf)
      await asPeers(() => control.addRules(rules, balancers, append))
      tell(`${rules.length} rules ${append ? 'added' : 'in the place of all others'}`)
      return {}
    },

    RemoveRule: async (request) => {
      const tag = request.text('ruleTag')
      if (tag === '') throw unknown('app/router: empty tag name!')
      const removed = await asPeers(() => control.removeRules(tag))
      if (removed > 0) tell(`${removed} rules ${JSON.stringify(tag)} removed`)
      return {}
    },

    ListRule: async () => ({
      rules: (await control.rules()).map(({ outboundTag, ruleTag }) => given({ tag: outboundTag, ruleTag })),
    }),
  }
}

/** The router's Config that AddRule brings. Only Xray's name is taken, as by Xray. */
function opened(request: Fields, types: ServiceDeps['types']): Fields {
  const message = request.message('config')
  const type = message?.text('type') ?? ''
  if (type !== 'xray.app.router.Config') {
    throw unknown(types.knows(type) ? 'app/router: AddRule: config type error' : 'proto: not found')
  }
  return types.open(type, message!.bytes('value') ?? new Uint8Array(0)).fields
}

async function asPeers<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!isProxyError(error)) throw error
    if (error.code === 'NO_OUTBOUND') throw unknown('app/router: balancing strategy returns empty tag')
    throw unknown(error.code.startsWith('CONTROL_') ? `app/router: ${error.message}` : error.message)
  }
}

interface Asked {
  readonly question: RouteQuestion
  /** The fields as they came, to be given back. */
  readonly values: Readonly<Record<string, unknown>>
}

function questionOf(context: Fields): Asked {
  const ips = (name: string) => context.values<Uint8Array>(name)
  const [sources, targets, locals] = [ips('SourceIPs'), ips('TargetIPs'), ips('LocalIPs')]
  const network = context.number('Network')
  const values = {
    InboundTag: context.text('InboundTag'),
    Network: network,
    SourceIPs: sources,
    TargetIPs: targets,
    LocalIPs: locals,
    SourcePort: context.number('SourcePort'),
    TargetPort: context.number('TargetPort'),
    LocalPort: context.number('LocalPort'),
    TargetDomain: context.text('TargetDomain'),
    Protocol: context.text('Protocol'),
    User: context.text('User'),
    Attributes: Object.fromEntries(context.entries('Attributes')),
  }
  context.values('OutboundGroupTags')
  context.text('OutboundTag')
  context.number('VlessRoute')
  return {
    values,
    question: {
      network: network === 3 ? 'udp' : 'tcp',
      domain: values.TargetDomain,
      targetIps: targets.map(hostText),
      targetPort: values.TargetPort,
      sourceIp: hostText(sources[0] ?? new Uint8Array(0)),
      sourcePort: values.SourcePort,
      localIp: hostText(locals[0] ?? new Uint8Array(0)),
      localPort: values.LocalPort,
      user: values.User,
      inboundTag: values.InboundTag,
      protocol: values.Protocol,
      attributes: values.Attributes,
    },
  }
}

/** Names that selectors begin, by field. */
const selectable: Readonly<Record<string, string>> = {
  inbound: 'InboundTag',
  network: 'Network',
  ip_source: 'SourceIPs',
  ip_target: 'TargetIPs',
  ip_local: 'LocalIPs',
  port_source: 'SourcePort',
  port_target: 'TargetPort',
  port_local: 'LocalPort',
  domain: 'TargetDomain',
  protocol: 'Protocol',
  user: 'User',
  attributes: 'Attributes',
  outbound: 'OutboundTag',
}

function chosen(values: Asked['values'], answer: RouteAnswer, selectors: readonly string[]): object {
  const resolved = answer.resolved.flatMap((text) => {
    const host = parseHost(text)
    return host.kind === 'domain' ? [] : [host.bytes]
  })
  const all = { ...values, ...(resolved.length > 0 && { TargetIPs: resolved }), OutboundTag: answer.outboundTag }
  if (selectors.length === 0) return given(all)
  const wanted = Object.entries(selectable).filter(([name]) => selectors.some((begin) => name.startsWith(begin)))
  return given(Object.fromEntries(wanted.map(([, field]) => [field, all[field as keyof typeof all]])))
}
