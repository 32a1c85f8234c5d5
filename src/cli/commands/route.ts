import { systemEnv } from '../../app/instance/env.ts'
import { type AskedFlow, type ExplainedRoute, explainRoute } from '../../app/routing/explain.ts'
import { loadConfig } from '../../config/load.ts'
import { type Address, formatAddress, parseAddress, parseHost } from '../../core/address.ts'
import type { Config } from '../../settings/model.ts'
import { exitCodes, usageError } from '../process/exit.ts'
import type { Terminal } from '../process/terminal.ts'
import { printProblems } from '../run/report-problems.ts'
import { programDirectory, readSources, type SourceFlags } from '../run/sources.ts'

export interface RouteFlags extends SourceFlags {
  readonly to?: string
  readonly from?: string
  readonly user?: string
  readonly inbound?: string
  readonly network?: string
  readonly protocol?: string
  readonly json?: boolean
}

/** Prints which rule and outbound would take a flow, and why the rules in front of it would not. */
export async function route(flags: RouteFlags, terminal: Terminal): Promise<number> {
  const target = readTarget(flags.to)
  const network = (flags.network ?? 'tcp').toLowerCase()
  if (network !== 'tcp' && network !== 'udp') throw usageError(`-network ${network}: unknown; write tcp or udp`)
  const sources = await readSources(flags, { ...terminal, home: programDirectory() })
  const { config, problems } = loadConfig(sources, { env: terminal.env })
  if (!config) {
    printProblems(problems, terminal, { all: false })
    return exitCodes.config
  }
  const asked: AskedFlow = {
    target,
    network,
    source: sourceOf(flags.from),
    user: flags.user ?? '',
    inboundTag: flags.inbound ?? config.inbounds[0]?.tag ?? '',
    protocol: flags.protocol ?? '',
  }
  const explained = await explainRoute(config, asked, systemEnv())
  terminal.out(flags.json ? JSON.stringify(jsonOf(explained, config), null, 2) : textOf(explained, asked, config))
  return exitCodes.ok
}

function readTarget(text: string | undefined): Address {
  if (!text) throw usageError('-to is missing; write -to example.com:443')
  const target = parseAddress(text)
  if (target && target.path === undefined) return target
  throw usageError(`-to ${text}: expected a name or an address, and a port: example.com:443 or [2001:db8::1]:443`)
}

function sourceOf(text: string | undefined): string {
  if (text === undefined) return '127.0.0.1:0'
  const address = parseAddress(text) ?? { host: text.replace(/^\[(.*)\]$/, '$1'), port: 0 }
  if (parseHost(address.host).kind === 'domain') throw usageError(`-from ${text}: expected an IP address`)
  return formatAddress(address)
}

/** Where it goes, in words. */
function outcomeOf({ rule, first, exists }: ExplainedRoute): string {
  if (!rule)
    return first === undefined ? 'nowhere: there is no outbound' : `to the first outbound, ${JSON.stringify(first)}`
  const { outboundTag, balancerTag } = rule.rule
  if (outboundTag === undefined) return `to the balancer ${JSON.stringify(balancerTag)}`
  return `to ${JSON.stringify(outboundTag)}${exists ? '' : ', which does not exist: it is blocked'}`
}

function textOf(explained: ExplainedRoute, asked: AskedFlow, config: Config): string {
  const { rule, resolved, passed } = explained
  const width = Math.max(...passed.map(({ name }) => name.length), rule?.name.length ?? 0)
  const lines = [`${asked.network} ${formatAddress(asked.target)} goes ${outcomeOf(explained)}`]
  if (resolved) {
    const found = resolved.length > 0 ? resolved.join(', ') : 'nothing'
    lines.push(`  the name was resolved (${config.routing!.domainStrategy}): ${found}`)
  }
  for (const { name, key } of passed) lines.push(`  ${name.padEnd(width)}  no: ${key} ${found(key, asked, resolved)}`)
  if (rule) lines.push(`  ${rule.name.padEnd(width)}  yes: ${rule.rule.at}`)
  else if (config.routing) lines.push('  no rule takes it')
  else lines.push('  there are no rules')
  return lines.join('\n')
}

/** What the flow has where a condition wants something else. */
function found(key: string, asked: AskedFlow, resolved: readonly string[] | undefined): string {
  const { host, port } = asked.target
  const isName = parseHost(host).kind === 'domain'
  const values: Readonly<Record<string, string>> = {
    domain: isName ? host : `(${host} is an address)`,
    ip: isName ? (resolved ? resolved.join(', ') : '(the name is not resolved)') : host,
    port: String(port),
    network: asked.network,
    source: asked.source,
    sourcePort: asked.source,
    user: asked.user || '(nobody)',
    inboundTag: asked.inboundTag || '(none)',
    protocol: asked.protocol || '(not recognised)',
  }
  return values[key] ?? '(not known here)'
}

function jsonOf(explained: ExplainedRoute, config: Config): object {
  const { rule, resolved, passed, first, exists } = explained
  return {
    rule: rule?.name ?? null,
    at: rule?.rule.at ?? null,
    outbound: rule ? (rule.rule.outboundTag ?? null) : (first ?? null),
    balancer: rule?.rule.balancerTag ?? null,
    blocked: !exists || config.outbounds.length === 0,
    ...(resolved && { resolved }),
    passed,
  }
}
