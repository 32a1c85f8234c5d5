/** From the merged tree to a Config. */
import { createContext } from './context.ts'
import { decode } from './decode.ts'
import { checkDns } from './dns-section.ts'
import { readInbound } from './inbound.ts'
import { buildLog } from './log-section.ts'
import type { Config } from './model.ts'
import { readOutbound } from './outbound.ts'
import { buildPolicy } from './policy-section.ts'
import type { Report } from './report.ts'
import { entriesOf, oldPort, type RootInput, rootSchema } from './root.ts'
import { checkRouting, type Tags } from './routing-section.ts'
import { checkTogether } from './rules.ts'
import { checkApi, checkStats } from './service-sections.ts'
import type { ObjectNode } from './tree.ts'

/** The configuration, complete where nothing was reported as an error. */
export function buildConfig(
  root: ObjectNode,
  env: Readonly<Record<string, string | undefined>>,
  report: Report,
): Config | undefined {
  const input = decode(rootSchema, root, '', report)
  if (!input) return undefined
  const context = createContext(report, { ...env, ...input.env })
  const defaults = { tcp: input.transport?.tcpSettings }
  if (input.transport) {
    const place = report.at(input, 'transport')
    report.warn(
      'CFG036',
      place,
      '"transport" is an old form, which Xray refuses',
      'write its parts into "streamSettings"',
    )
  }
  const port = oldPort(input, context)
  const inbounds = entriesOf(input, 'inbound', context).flatMap(
    (entry, i) => readInbound(entry, defaults, i === 0 ? port : undefined, context) ?? [],
  )
  const outbounds = entriesOf(input, 'outbound', context).flatMap(
    (entry) => readOutbound(entry, defaults, context) ?? [],
  )
  checkTogether(inbounds, outbounds, context)
  if (outbounds.length === 0 && (inbounds.length > 0 || report.wrote(input, 'outbounds'))) {
    const message = 'there is no outbound: every connection is closed'
    report.warn('CFG083', report.at(input, 'outbounds'), message, 'write "outbounds": [ { "protocol": "freedom" } ]')
  }
  const inboundTags = inbounds.map(({ tag }) => tag)
  const outboundTags = outbounds.map(({ tag }) => tag)
  checkRouting(input.routing, tagsOf(input, inboundTags, outboundTags), context)
  checkDns(input.dns, context)
  checkStats(input.stats, context)
  checkApi(input.api, context)
  return {
    log: buildLog(input.log, context),
    inbounds: inbounds.flatMap(({ config }) => config ?? []),
    outbounds: outbounds.flatMap(({ config }) => config ?? []),
    policy: buildPolicy(input.policy, context),
  }
}

/** Tags that rules may name: the API serves as an outbound, DNS queries come in under tags of their own. */
function tagsOf(input: RootInput, inbounds: readonly string[], outbounds: readonly string[]): Tags {
  const servers = input.dns?.servers ?? []
  const dnsTags = [input.dns, ...servers].flatMap((entry) =>
    typeof entry === 'object' && entry.tag ? [entry.tag] : [],
  )
  const api = input.api?.tag ? [input.api.tag] : []
  return {
    inbounds: [...inbounds, ...dnsTags, ...api],
    outbounds: [...outbounds, ...api],
    first: outbounds[0] ?? '',
  }
}
