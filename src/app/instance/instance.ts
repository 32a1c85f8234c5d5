import type { Accounts } from '../../account/accounts.ts'
import { builtin } from '../../builtin/kinds.ts'
import type { Address } from '../../core/address.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Ground, Resolve } from '../../core/ground.ts'
import { limits } from '../../core/limits.ts'
import type { UserDirectory } from '../../protocol/vmess/users/directory.ts'
import type { Config, InboundConfig, OutboundConfig, PolicyConfig, VmessUser } from '../../settings/model.ts'
import type { Counters } from '../../stats/counters.ts'
import { Endings } from '../../stats/endings.ts'
import { Handshakes } from '../../stats/handshakes.ts'
import { type OutboundBuild, readTextFile } from '../build/build.ts'
import { Ends } from '../build/ends.ts'
import { Descriptors } from '../descriptors/descriptors.ts'
import type { Names } from '../dns/names.ts'
import { instanceNames } from '../dns/system.ts'
import type { DispatchDeps } from '../flow/deps.ts'
import type { End } from '../flow/flow.ts'
import { countingIds, Flows } from '../flow/flows.ts'
import { LoopGuard } from '../flow/loop-guard.ts'
import { Observers } from '../flow/observers.ts'
import { ApiDoor } from '../inbound/api-door.ts'
import { Connections } from '../inbound/connections.ts'
import { hostOf } from '../inbound/host.ts'
import { Inbounds } from '../inbound/inbounds.ts'
import type { InboundParts, RunningInbound } from '../inbound/running-inbound.ts'
import { systemResolver } from '../names/system-resolver.ts'
import { ReverseProxies } from '../reverse.ts'
import { Measurements } from '../routing/measurements.ts'
import { Routing } from '../routing/routing.ts'
import { Detour } from '../users/detour.ts'
import { LiveUsers } from '../users/live-users.ts'
import { type InstanceDeps, ownParts, partOf, type SharedParts } from './instance-deps.ts'
import { Outbounds, type RunningOutbound } from './outbounds.ts'
import { Turns } from './turns.ts'

export type { InstanceDeps } from './instance-deps.ts'

/** A configuration at work: its inbounds, its outbounds, its users, and the connections in progress. */
export class Instance implements AsyncDisposable {
  readonly kinds: OutboundBuild['kinds']
  readonly accounts: Accounts
  readonly counters: Counters
  readonly handshakes = new Handshakes()
  readonly endings = new Endings()
  readonly flows: Flows
  readonly users: LiveUsers
  readonly outbounds = new Outbounds()
  readonly names: Names
  /** Addresses of names. */
  readonly resolve: Resolve
  readonly routing: Routing
  readonly measurements: Measurements
  readonly reverse: ReverseProxies
  readonly api = new ApiDoor({ doors: () => this.routing.doors, inbounds: () => this.inbounds })
  readonly observers: Observers
  /** What there is for all threads; undefined: there is one. */
  readonly shared: SharedParts | undefined
  /** For changes that wait for something on their way. */
  readonly turns = new Turns()
  readonly #loops: LoopGuard
  readonly #descriptors: Descriptors
  readonly #connections: Connections
  readonly #inbounds: Inbounds
  readonly #ends: Ends
  #config: Config
  #started = false
  #stopped: Promise<void> | undefined

  /** Reads certificate files, but opens nothing. Throws ConfigError. */
  constructor(config: Config, deps: InstanceDeps) {
    const { env, observers = [], readText = readTextFile, resolve = systemResolver(env), ids = countingIds() } = deps
    this.kinds = deps.kinds ?? builtin
    this.resolve = resolve
    this.#config = config
    this.#connections = new Connections(env)
    this.shared = deps.shared
    this.#loops = new LoopGuard(deps.shared?.paths)
    ;({ accounts: this.accounts, counters: this.counters } = deps.shared ?? ownParts(env.clock))
    const perAddress = () => partOf(this.#config.policy.system.handshakesPerAddress, this.shared)
    const evictIdle = () => this.flows.quiet.evictIdle()
    this.#descriptors = new Descriptors({ env, perAddress, evictIdle, ofThread: this.shared?.openFiles })
    const asked = ({ info }: End) => this.#descriptors.admit(info)
    this.flows = new Flows({ clock: env.clock, accounts: this.accounts, nextId: ids, asked })
    this.users = new LiveUsers(this.accounts, this.flows)
    this.observers = new Observers([this.handshakes.observer, this.endings.observer, ...observers], env.log)
    const watch = (ground: Ground) => this.#loops.watch(this.api.guard(this.#descriptors.watch(ground)))
    this.names = instanceNames(config, {
      env,
      nextId: ids,
      route: (session, until) => this.routing.route(session, until),
      observer: this.observers,
      resolve,
      findAsset: deps.findAsset,
      watch,
    })
    this.#ends = new Ends({
      ...deps,
      kinds: this.kinds,
      names: this.names,
      read: readText,
      resolve,
      detour: new Detour({ env, users: this.users, inbound: (tag) => this.inbound(tag) }),
      policy: () => this.#config.policy,
      find: (tag) => this.outbounds.passable(tag),
      watch,
      descriptors: this.#descriptors,
      refused: (at, error) => this.observers.rejected(at, error),
    })
    this.routing = new Routing({
      env,
      outbounds: this.outbounds,
      names: this.names,
      findAsset: deps.findAsset,
      api: () => this.#config.api?.tag,
      isApiDoor: (tag) => this.api.isDoor(tag),
      observe: (tag) => this.measurements.observe(tag),
    })
    this.measurements = new Measurements({
      ...env,
      outbounds: () => [...this.outbounds].map(({ outbound }) => outbound),
      probe: (...args) => this.#ends.probe(...args),
    })
    this.measurements.adopt(config)
    this.routing.adopt(this.routing.prepare(config.routing))
    const dispatch: DispatchDeps = {
      env,
      policy: () => this.#config.policy,
      route: (session, until) => this.routing.route(session, until),
      fakeName: (host) => this.names.fakeName(host),
      manyWays: () => this.routing.router !== undefined || this.names.makesUp,
      waysOf: (outbound) => this.outbounds.waysOf(outbound),
      flows: this.flows,
      counters: this.counters,
      observer: this.observers,
      loops: this.#loops,
      handshakes: this.#connections.handshakes,
    }
    for (const outbound of config.outbounds) this.outbounds.add(this.buildOutbound(outbound))
    this.reverse = new ReverseProxies(this.outbounds, dispatch)
    this.reverse.fill(config.reverse)
    this.#inbounds = new Inbounds({
      users: this.users,
      build: (...args) => this.buildInbound(...args),
      host: (inbound) => hostOf(inbound, { dispatch, connections: this.#connections, descriptors: this.#descriptors }),
    })
    this.#inbounds.fill(config.inbounds)
  }

  get config(): Config {
    return this.#config
  }

  get inbounds(): readonly RunningInbound[] {
    return this.#inbounds.list
  }

  /** Opens every listener, or none: rejects with LISTEN_FAILED after closing those already open. */
  async start(): Promise<void> {
    try {
      for (const inbound of this.inbounds) await inbound.openAll()
      this.#started = true
      this.measurements.start()
      this.reverse.start()
    } catch (error) {
      this.#inbounds.closeAll()
      throw error
    }
  }

  /** True from when every inbound listens until the stop begins. */
  get ready(): boolean {
    return this.#started && this.#stopped === undefined
  }

  /** What is being listened on, port 0 filled in. */
  get listening(): { tag: string; protocol: string; address: Address }[] {
    return this.#inbounds.listening
  }

  /** Client connections in progress, those in a handshake of their transport included. */
  get connections(): number {
    return this.inbounds.reduce((sum, { pending }) => sum + pending, this.#connections.size)
  }

  /** Adds an inbound and opens it. @throws ProxyError CONTROL_CONFLICT, LISTEN_FAILED; ConfigError for its certificate */
  addInbound(config: InboundConfig): Promise<void> {
    return this.turns.take(() => this.#inbounds.open(config))
  }

  /** An inbound that is not among the others before adopt(). @throws ConfigError for its certificate */
  createInbound(config: InboundConfig, policy: PolicyConfig): RunningInbound {
    return this.#inbounds.create(config, policy)
  }

  /** Puts a configuration in force for what comes; these are the inbounds from now on. See reload(). */
  adopt(config: Config, inbounds: readonly RunningInbound[]): void {
    this.#config = config
    this.#inbounds.replace(inbounds)
  }

  /** Stops listening there and ends what came in by it. */
  removeInbound(inbound: RunningInbound): void {
    this.#inbounds.remove(inbound)
    this.#connections.end(inbound, new ProxyError('SESSION_ENDED', 'the inbound was removed'))
  }

  inbound(tag: string): RunningInbound | undefined {
    return this.#inbounds.get(tag)
  }

  /** @throws ConfigError for a certificate file */
  buildOutbound(config: OutboundConfig): RunningOutbound {
    return this.#ends.outbound(config)
  }

  /** Stops accepting, cuts what carries nothing, waits for the others, cuts those left after `graceMs`. Again: the same end, hastened by 0. */
  stop(graceMs: number = limits.shutdownMs): Promise<void> {
    if (this.#stopped && graceMs === 0) this.kill()
    this.#stopped ??= this.#stop(graceMs)
    return this.#stopped
  }

  async #stop(graceMs: number): Promise<void> {
    this.#inbounds.closeAll()
    this.measurements.stop()
    await Promise.all([this.reverse.stop(graceMs), this.#connections.drain(graceMs)])
    this.flows.end(new ProxyError('SHUTTING_DOWN', 'the program is stopping'), () => true)
    await this.outbounds.close()
  }

  /** Cuts every connection now; a stop() in progress then ends at once. */
  kill(): void {
    this.#connections.kill()
    this.flows.end(new ProxyError('SHUTTING_DOWN', 'the program is stopping'), () => true)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop(0)
  }

  /** @throws ConfigError for a certificate file */
  buildInbound(
    config: InboundConfig,
    users: UserDirectory<VmessUser> | undefined,
    policy: PolicyConfig = this.#config.policy,
  ): InboundParts {
    return this.#ends.inbound(config, users, policy)
  }
}
