/** A server with workers, as the APIs see it: one server. */
import type {
  ControlEvent,
  InboundView,
  NewUser,
  SessionQuery,
  SessionView,
  StatusView,
  UserChange,
  UserView,
} from '../../../control/control.ts'
import { type Page, type PageQuery, pageOf } from '../../../control/page.ts'
import { ProxyError } from '../../../core/errors.ts'
import type { InboundConfig } from '../../../settings/model.ts'
import type { BalancerConfig, RoutingRule } from '../../../settings/routing.ts'
import type { EndingCount } from '../../../stats/endings.ts'
import type { HandshakeCount } from '../../../stats/handshakes.ts'
import { type ControlDeps, InstanceControl } from '../../control/control.ts'
import type { RunningInbound } from '../../inbound/running-inbound.ts'
import { parseId } from '../../users/ids.ts'
import type { UserStep, WorkerStatus } from '../messages.ts'
import { withEndings, withHandshakes } from '../tallies.ts'
import type { Crew } from './crew.ts'
import { checkDoors, placed } from './placed.ts'

/**
 * What changes something does it to the main thread first, which refuses what is wrong, and answers when it holds in every
 * worker. What shows something asks all of them.
 */
export class CrewControl extends InstanceControl {
  readonly #deps: ControlDeps
  readonly #crew: Crew

  constructor(deps: ControlDeps, crew: Crew) {
    super(deps)
    this.#deps = deps
    this.#crew = crew
  }

  override async handshakes(): Promise<readonly HandshakeCount[]> {
    return withHandshakes(await super.handshakes(), this.#crew.tallies)
  }

  override async endings(): Promise<readonly EndingCount[]> {
    return withEndings(await super.endings(), this.#crew.tallies)
  }

  override async status(): Promise<StatusView> {
    const [own, others] = await Promise.all([super.status(), this.#crew.ask('status', undefined)])
    const sum = (of: (status: WorkerStatus) => number) => others.reduce((all, status) => all + of(status), 0)
    return {
      ...own,
      connections: own.connections + sum(({ connections }) => connections),
      sessions: own.sessions + sum(({ sessions }) => sessions),
    }
  }

  override async inbounds(): Promise<readonly InboundView[]> {
    const [own, others] = await Promise.all([super.inbounds(), this.#crew.ask('status', undefined)])
    return own.map((view, i) => {
      const more = others.reduce((sum, { inbounds }) => sum + (inbounds[i] ?? 0), 0)
      return { ...view, connections: view.connections + more }
    })
  }

  override async users(): Promise<readonly UserView[]> {
    const [users, occupied] = await Promise.all([super.users(), this.#occupied()])
    return users.map(occupied)
  }

  override async userPage(query: PageQuery<string> = {}): Promise<Page<UserView, string>> {
    const [{ items, ...more }, occupied] = await Promise.all([super.userPage(query), this.#occupied()])
    return { items: items.map(occupied), ...more }
  }

  override async user(email: string): Promise<UserView | undefined> {
    const user = await super.user(email)
    return user && (await this.#occupied())(user)
  }

  override async addUser(inboundTag: string, user: NewUser): Promise<{ user: UserView; id: string }> {
    const added = await super.addUser(inboundTag, user)
    await this.#tell(this.#put(inboundTag, parseId(added.id)))
    return added
  }

  override async changeUser(email: string, change: UserChange): Promise<UserView> {
    await super.changeUser(email, change)
    const steps = change.level === undefined ? [] : this.#holding(email).flatMap(({ tag, id }) => this.#put(tag, id))
    await this.#tell(steps)
    return (await this.user(email)) ?? this.#gone(email)
  }

  override async removeUser(email: string, inboundTag?: string): Promise<number> {
    const held = this.#holding(email).filter(({ tag }) => inboundTag === undefined || tag === inboundTag)
    const ended = await super.removeUser(email, inboundTag)
    return ended + (await this.#tell(held.map(({ tag, id }) => ({ what: 'remove' as const, inbound: tag, id }))))
  }

  override async resetUsage(email: string): Promise<UserView> {
    const view = await super.resetUsage(email)
    return (await this.#occupied())(view)
  }

  override async sessions(): Promise<readonly SessionView[]> {
    const [own, others] = await Promise.all([super.sessions(), this.#crew.ask('sessions', undefined)])
    return [own, ...others].flat().sort((a, b) => a.id - b.id)
  }

  override async sessionPage(query: SessionQuery = {}): Promise<Page<SessionView, number>> {
    const pages = await Promise.all([super.sessionPage(query), this.#crew.ask('sessionPage', query)])
    const all = pages.flat()
    const items = all.flatMap((page) => page.items.map((item) => [item.id, item] as const))
    const page = await pageOf(this.#deps.env.clock, items, query)
    const last = page.items.at(-1)
    // There may be more than the items that the threads have shown.
    return last && all.some(({ next }) => next !== undefined) ? { ...page, next: last.id } : page
  }

  override async endSession(id: number): Promise<void> {
    if (this.#deps.instance.flows.get(id)) return super.endSession(id)
    const ended = await this.#crew.ask('endSessions', { id })
    if (ended.every((count) => count === 0)) return super.endSession(id)
  }

  override async endSessions(email: string): Promise<number> {
    const own = await super.endSessions(email)
    const others = await this.#crew.ask('endSessions', { email })
    return others.reduce((sum, count) => sum + count, own)
  }

  override async addInbound(json: object): Promise<void> {
    await super.addInbound(json)
    await this.#crew.sync()
  }

  protected override placed(config: InboundConfig): InboundConfig {
    return placed(config, this.#deps.instance)
  }

  override async removeInbound(tag: string): Promise<void> {
    await super.removeInbound(tag)
    await this.#crew.sync()
  }

  override async addOutbound(json: object): Promise<void> {
    await super.addOutbound(json)
    await this.#crew.sync()
  }

  override async removeOutbound(tag: string): Promise<void> {
    await super.removeOutbound(tag)
    await this.#crew.sync()
  }

  override async addRules(
    rules: readonly RoutingRule[],
    balancers: readonly BalancerConfig[],
    append: boolean,
  ): Promise<void> {
    checkDoors(rules, this.#deps.instance)
    await super.addRules(rules, balancers, append)
    await this.#crew.sync()
  }

  override async removeRules(ruleTag: string): Promise<number> {
    const removed = await super.removeRules(ruleTag)
    if (removed > 0) await this.#crew.sync()
    return removed
  }

  override async overrideBalancer(tag: string, target: string): Promise<void> {
    await super.overrideBalancer(tag, target)
    await this.#crew.ask('override', { tag, target })
  }

  override async watch(listener: (event: ControlEvent) => void): Promise<() => void> {
    const { watchers } = this.#crew
    const first = watchers.size === 0
    watchers.add(listener)
    const stop = await super.watch(listener)
    if (first) await this.#crew.ask('watch', true)
    return () => {
      stop()
      watchers.delete(listener)
      if (watchers.size === 0) this.#crew.ask('watch', false).catch(() => {})
    }
  }

  /** Takes up what workers know of a user's connections. */
  async #occupied(): Promise<(view: UserView) => UserView> {
    const hosts = new Map<string, string[]>()
    for (const [email, more] of (await this.#crew.ask('occupancy', undefined)).flat()) {
      hosts.set(email, [...(hosts.get(email) ?? []), ...more])
    }
    return (view) => {
      const more = hosts.get(view.email.toLowerCase())
      if (!more) return view
      const addresses = [...new Set([...view.addresses, ...more])]
      return { ...view, connections: view.connections + more.length, addresses }
    }
  }

  /** Has every worker take these steps; how many sessions that ended. */
  async #tell(steps: readonly UserStep[]): Promise<number> {
    const ended = steps.length > 0 ? await this.#crew.ask('users', steps) : []
    await this.#crew.heard()
    return ended.reduce((sum, count) => sum + count, 0)
  }

  #holding(email: string): { readonly tag: string; readonly id: Uint8Array }[] {
    return this.#deps.instance.inbounds.flatMap(({ tag, users }) => {
      const user = email === '' ? undefined : users?.find(email)
      return user ? [{ tag, id: user.id }] : []
    })
  }

  #put(tag: string, id: Uint8Array): UserStep[] {
    const inbound: RunningInbound | undefined = this.#deps.instance.inbound(tag)
    const user = inbound?.users?.get(id)
    return user ? [{ what: 'put', inbound: tag, user }] : []
  }

  #gone(email: string): never {
    throw new ProxyError('CONTROL_NOT_FOUND', `there is no user "${email}"`)
  }
}
