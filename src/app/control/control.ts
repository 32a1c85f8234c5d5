/** The instance as the APIs see it. */
import { loadConfigValue, type Problem } from '../../config/load.ts'
import type {
  Control,
  ControlEvent,
  CounterQuery,
  CounterView,
  InboundView,
  NewUser,
  OutboundView,
  ReloadRefusal,
  ReloadReport,
  SessionQuery,
  SessionView,
  StatusView,
  UserChange,
  UserView,
} from '../../control/control.ts'
import type { Page, PageQuery } from '../../control/page.ts'
import { formatAddress } from '../../core/address.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Totals } from '../../core/session.ts'
import { inSlices } from '../../core/time/slices.ts'
import type { Config, InboundConfig } from '../../settings/model.ts'
import type { EndingCount } from '../../stats/endings.ts'
import type { HandshakeCount } from '../../stats/handshakes.ts'
import type { Flow } from '../flow/flow.ts'
import type { RunningInbound } from '../inbound/running-inbound.ts'
import type { Instance } from '../instance/instance.ts'
import { knownTags } from './known-tags.ts'
import { Lists } from './lists.ts'
import { InstanceRouting } from './routing-control.ts'
import { UserControl } from './user-control.ts'

export interface ControlDeps {
  readonly instance: Instance
  readonly env: Env
  /** Of this program. */
  readonly version: string
  readonly reload: () => Promise<ReloadReport | ReloadRefusal>
  readonly restartLog: () => void | Promise<void>
}

export class InstanceControl extends InstanceRouting implements Control {
  readonly #deps: ControlDeps
  readonly #users: UserControl
  readonly #lists: Lists
  readonly #startedAt: number
  readonly #startedMs: number

  constructor(deps: ControlDeps) {
    super(deps.instance)
    this.#deps = deps
    this.#users = new UserControl(deps.instance, deps.env)
    this.#lists = new Lists(deps.instance, deps.env.clock)
    this.#startedAt = deps.env.clock.now()
    this.#startedMs = deps.env.clock.elapsed()
  }

  async counters(): Promise<readonly CounterView[]> {
    return this.#lists.counters()
  }

  async counterPage(query: CounterQuery = {}): Promise<Page<CounterView, string>> {
    return this.#lists.counterPage(query)
  }

  async readCounters(
    names: readonly string[],
    { reset = false }: { readonly reset?: boolean } = {},
  ): Promise<readonly CounterView[]> {
    const { env, instance } = this.#deps
    const read: CounterView[] = []
    await inSlices(env.clock, names, (name) => {
      const counter = instance.counters.get(name)
      if (counter) read.push({ name, value: reset ? counter.take() : counter.value })
    })
    return read
  }

  async handshakes(): Promise<readonly HandshakeCount[]> {
    return Array.from(this.#deps.instance.handshakes, (count) => ({ ...count }))
  }

  async endings(): Promise<readonly EndingCount[]> {
    return Array.from(this.#deps.instance.endings, (count) => ({ ...count }))
  }

  async status(): Promise<StatusView> {
    const { instance, env, version } = this.#deps
    return {
      version,
      startedAt: this.#startedAt,
      uptimeS: Math.floor((env.clock.elapsed() - this.#startedMs) / 1000),
      connections: instance.connections,
      sessions: instance.flows.size,
      users: instance.accounts.size,
      ready: instance.ready,
    }
  }

  async users(): Promise<readonly UserView[]> {
    return this.#users.all()
  }

  async userPage(query: PageQuery<string> = {}): Promise<Page<UserView, string>> {
    return this.#users.page(query)
  }

  async user(email: string): Promise<UserView | undefined> {
    return this.#users.find(email)
  }

  async addUser(inboundTag: string, user: NewUser): Promise<{ user: UserView; id: string }> {
    return this.#users.add(this.#inbound(inboundTag), user)
  }

  async changeUser(email: string, change: UserChange): Promise<UserView> {
    return this.#users.change(email, change)
  }

  async removeUser(email: string, inboundTag?: string): Promise<number> {
    return this.#users.remove(email, inboundTag === undefined ? undefined : this.#inbound(inboundTag))
  }

  async resetUsage(email: string): Promise<UserView> {
    return this.#users.resetUsage(email)
  }

  async usage(emails: readonly string[]): Promise<readonly Readonly<Totals>[]> {
    return emails.map((email) => ({ ...(this.#deps.instance.accounts.get(email)?.used ?? { uplink: 0, downlink: 0 }) }))
  }

  async sessions(): Promise<readonly SessionView[]> {
    return this.#lists.sessions()
  }

  async sessionPage(query: SessionQuery = {}): Promise<Page<SessionView, number>> {
    return this.#lists.sessionPage(query)
  }

  async endSession(id: number): Promise<void> {
    const flow = this.#deps.instance.flows.get(id)
    if (!flow) throw new ProxyError('CONTROL_NOT_FOUND', `there is no session ${id}, or no more`)
    flow.end(ended())
  }

  async endSessions(email: string): Promise<number> {
    this.#users.mustHave(email)
    const wanted = email.toLowerCase()
    const emailOf = ({ account, session }: Flow) => account?.email ?? session.user.email
    return this.#deps.instance.flows.end(ended(), (flow) => emailOf(flow).toLowerCase() === wanted)
  }

  async inbounds(): Promise<readonly InboundView[]> {
    return this.#deps.instance.inbounds.map((inbound) => ({
      tag: inbound.tag,
      protocol: inbound.config.protocol,
      listening: inbound.addresses.map(formatAddress),
      connections: inbound.connections,
      users: inbound.users?.size ?? 0,
    }))
  }

  async addInbound(json: object): Promise<void> {
    const [config] = this.#checked('inbounds', json).inbounds
    if (!config?.tag) throw new ProxyError('CONTROL_INVALID', 'the inbound has no tag, by which it could be removed')
    await this.#deps.instance.addInbound(this.placed({ ...config, at: `inbound ${JSON.stringify(config.tag)}` }))
  }

  /** Says which thread serves an inbound that is added. @throws ProxyError CONTROL_INVALID where none can */
  protected placed(config: InboundConfig): InboundConfig {
    return config
  }

  async removeInbound(tag: string): Promise<void> {
    this.#deps.instance.removeInbound(this.#inbound(tag))
  }

  async outbounds(): Promise<readonly OutboundView[]> {
    return [...this.#deps.instance.outbounds].map(({ outbound, config, portal }) => ({
      tag: outbound.tag,
      protocol: config?.protocol ?? (portal ? 'portal' : 'api'),
    }))
  }

  async addOutbound(json: object): Promise<void> {
    const { instance } = this.#deps
    const [config] = this.#checked('outbounds', json).outbounds
    if (!config?.tag) throw new ProxyError('CONTROL_INVALID', 'the outbound has no tag, by which it could be removed')
    instance.outbounds.add(instance.buildOutbound({ ...config, at: `outbound ${JSON.stringify(config.tag)}` }))
  }

  async removeOutbound(tag: string): Promise<void> {
    if (this.#deps.instance.outbounds.remove(tag)) return
    throw new ProxyError('CONTROL_NOT_FOUND', `there is no outbound with the tag "${tag}"`)
  }

  async reload(): Promise<ReloadReport | ReloadRefusal> {
    return this.#deps.reload()
  }

  async restartLog(): Promise<void> {
    await this.#deps.restartLog()
  }

  async watch(listener: (event: ControlEvent) => void): Promise<() => void> {
    return this.#deps.instance.observers.add({
      opened: (session) => listener({ type: 'opened', session }),
      routed: (session) => listener({ type: 'routed', session }),
      closed: (session, totals, reason) => listener({ type: 'closed', session, totals, reason: reason?.code ?? '' }),
      failed: (session, error) => listener({ type: 'failed', session, reason: error.code }),
      rejected: ({ inboundTag, source, email }, error) =>
        listener({ type: 'refused', inbound: inboundTag, source, email, reason: error.code }),
    })
  }

  /** The loader's word on a part that came by an API. @throws ProxyError CONTROL_INVALID */
  #checked(kind: 'inbounds' | 'outbounds', json: object): Config {
    const { kinds, outbounds } = this.#deps.instance
    const otherOutbounds = [...outbounds].flatMap(({ outbound, config, portal }) =>
      config || portal ? outbound.tag : [],
    )
    const { config, problems } = loadConfigValue({ [kind]: [json] }, { kinds, otherOutbounds })
    const errors = problems.filter(({ severity }) => severity === 'error')
    if (!config) throw new ProxyError('CONTROL_INVALID', errors.map(textOf).join('; '))
    for (const problem of problems) {
      // That there is nothing else in this configuration says nothing of ours.
      const isOfPart = problem.path.startsWith(`${kind}[0]`)
      if (problem.severity === 'warning' && isOfPart)
        this.#deps.env.log.warn({ code: problem.code }, `by API: ${textOf(problem)}`)
    }
    return config
  }

  #inbound(tag: string): RunningInbound {
    const inbound = this.#deps.instance.inbound(tag)
    if (!inbound) {
      const hint = knownTags(this.#deps.instance.inbounds)
      throw new ProxyError('CONTROL_NOT_FOUND', `there is no inbound with the tag "${tag}"`, { hint })
    }
    return inbound
  }
}

const textOf = ({ path, message, hint }: Problem): string => `${path}: ${message}${hint ? ` (${hint})` : ''}`

const ended = (): ProxyError => new ProxyError('SESSION_ENDED', 'an operator ended the session')
