/** Puts another configuration in force without ending anybody's connections but those of users who are gone. */

import { inTheWayOfWorkers } from '../../config/sections/workers.ts'
import type { ReloadReport } from '../../control/control.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Config } from '../../settings/model.ts'
import { same } from '../../settings/same.ts'
import type { RunningInbound } from '../inbound/running-inbound.ts'
import type { Instance } from '../instance/instance.ts'
import { mustEnd } from '../instance/outbounds.ts'
import { keepUntilRestart } from './config-diff.ts'
import { planReload, type ReloadPlan } from './plan.ts'
import { type OpenedPorts, openPorts } from './ports.ts'
import { reportOf } from './report.ts'
import { UserChanges } from './users.ts'

export type { ReloadRefusal, ReloadReport } from '../../control/control.ts'
export { describeReload } from './report.ts'

/**
 * Applies what `next` says differently than the configuration before it; what an API changed meanwhile stays, unless
 * `next` changes the same thing. All or nothing: everything is built and every new address is open before the first
 * change. Called again before it is done, it waits. `warnings` are what the loader said of `next`, for the report.
 *
 * @throws ConfigError for a certificate file; ProxyError LISTEN_FAILED, CONFIG_INVALID, CONTROL_CONFLICT, CONTROL_INVALID:
 * nothing has changed
 */
export function reload(
  instance: Instance,
  next: Config,
  env: Env,
  warnings: readonly string[] = [],
): Promise<ReloadReport> {
  return instance.turns.take(async () => {
    if (!instance.ready) throw notRunning()
    if (instance.config.outbounds.length > 0 && next.outbounds.length === 0) throw noOutbound()
    const { config, restart } = keepUntilRestart(instance.config, next)
    const inTheWay = instance.shared ? inTheWayOfWorkers(config) : []
    if (inTheWay.length > 0) throw notOfMany(inTheWay)
    const plan = planReload(instance, config)
    mustEnd(outboundsAfter(instance, config, plan))
    const ports = await openPorts(plan, env)
    const late = whatCameBetween(instance, plan, ports)
    if (late) {
      ports.undo()
      throw late
    }
    const report = reportOf(instance.config, config, plan, { restart, warnings })
    apply(instance, config, plan, ports)
    await settlePorts(instance, env)
    await instance.shared?.changed?.()
    return report
  })
}

const notRunning = () => new ProxyError('CONTROL_INVALID', 'the instance is not listening: not yet, or no more')

const notOfMany = (parts: readonly string[]) =>
  new ProxyError('CONTROL_INVALID', `this cannot be together with several workers: ${parts.join('; ')}`, {
    hint: 'leave "workers" out and start again, or run this part in a program of its own',
  })

/** A file that was half written, most likely. */
const noOutbound = () =>
  new ProxyError('CONTROL_INVALID', 'the configuration has no outbound: every connection would be closed', {
    hint: 'write "outbounds": [ { "protocol": "freedom" } ]',
  })

/** A stop, an API that removed an inbound, or a refresh of moving ports may have been faster than the new ports. */
function whatCameBetween(instance: Instance, plan: ReloadPlan, ports: OpenedPorts): ProxyError | undefined {
  if (!instance.ready) return notRunning()
  const concerned = [...plan.changes.map(({ inbound }) => inbound), ...plan.removals]
  const gone = concerned.find((inbound) => !instance.inbounds.includes(inbound))
  if (gone) return new ProxyError('CONTROL_CONFLICT', `the inbound "${gone.tag}" was removed meanwhile: try again`)
  const moved = ports.moved()
  return moved && new ProxyError('CONTROL_CONFLICT', `ports of the inbound "${moved.tag}" moved meanwhile: try again`)
}

/** Nothing here waits, and nothing can fail. */
function apply(instance: Instance, config: Config, plan: ReloadPlan, ports: OpenedPorts): void {
  const users = new UserChanges(instance, config)
  instance.outbounds.replace(outboundsAfter(instance, config, plan))
  instance.names.adopt(plan.names)
  if (plan.routing) instance.routing.adopt(plan.routing, same)
  instance.measurements.adopt(config, same)
  for (const { inbound, before, parts } of plan.changes) users.update(inbound, before, parts.config)
  const inbounds = inboundsAfter(instance, config, plan)
  ports.detach()
  for (const { inbound, parts } of plan.changes) inbound.adopt(parts)
  instance.adopt(config, inbounds)
  instance.reverse.adopt(config.reverse)
  ports.attach()
  users.finish(plan.removals)
}

/** In the order of the files; what an API added comes behind. */
function inboundsAfter(instance: Instance, config: Config, plan: ReloadPlan): RunningInbound[] {
  const byConfig = new Map([
    ...plan.changes.map(({ inbound, parts }) => [parts.config, inbound] as const),
    ...plan.additions.map((inbound) => [inbound.config, inbound] as const),
  ])
  const ofFiles = config.inbounds.flatMap((wanted) => byConfig.get(wanted) ?? [])
  const others = instance.inbounds.filter((inbound) => !ofFiles.includes(inbound) && !plan.removals.includes(inbound))
  return [...ofFiles, ...others]
}

function outboundsAfter(instance: Instance, config: Config, { outbounds, portals }: ReloadPlan) {
  const ofFiles = outbounds.map(({ next }) => next)
  const tags = new Set([...config.outbounds, ...(config.reverse?.portals ?? [])].map(({ tag }) => tag))
  const others = [...instance.outbounds].filter(
    (running) => running.config && !instance.config.outbounds.includes(running.config) && !tags.has(running.config.tag),
  )
  return [...ofFiles, ...others, ...portals]
}

/** Ports of a range move as the new settings say; which of them is free shows only now. */
async function settlePorts(instance: Instance, env: Env): Promise<void> {
  const tell = (inbound: RunningInbound) => (error: Error) => env.log.error({ inbound: inbound.tag }, error.message)
  await Promise.all(instance.inbounds.map((inbound) => inbound.movePorts().catch(tell(inbound))))
}
