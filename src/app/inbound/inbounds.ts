import type { Address } from '../../core/address.ts'
import { ProxyError } from '../../core/errors.ts'
import { UserDirectory } from '../../protocol/vmess/users/directory.ts'
import type { InboundConfig, PolicyConfig, VmessUser } from '../../settings/model.ts'
import { readSwitches } from '../build/switches.ts'
import type { LiveUsers } from '../users/live-users.ts'
import { type InboundHost, type InboundParts, RunningInbound } from './running-inbound.ts'
import { checkSharing } from './shared/check.ts'

export interface InboundsDeps {
  readonly users: LiveUsers
  /** Builds handler and listener; opens nothing. Throws ConfigError for a certificate file. */
  readonly build: (
    config: InboundConfig,
    users: UserDirectory<VmessUser> | undefined,
    policy?: PolicyConfig,
  ) => InboundParts
  /** What an inbound needs of the instance. */
  readonly host: (inbound: () => RunningInbound) => InboundHost
}

/** The inbounds of an instance in their order. */
export class Inbounds {
  readonly #deps: InboundsDeps
  #list: readonly RunningInbound[] = []

  constructor(deps: InboundsDeps) {
    this.#deps = deps
  }

  get list(): readonly RunningInbound[] {
    return this.#list
  }

  /** Of several with one tag the last. */
  get(tag: string): RunningInbound | undefined {
    return this.#list.findLast((inbound) => inbound.tag === tag)
  }

  /** What is being listened on, port 0 filled in. */
  get listening(): { tag: string; protocol: string; address: Address }[] {
    return this.#list.flatMap(({ tag, config: { protocol }, addresses }) =>
      addresses.map((address) => ({ tag, protocol, address })),
    )
  }

  /** Adds one and opens it, or nothing. Rejects as add(), and with LISTEN_FAILED. */
  async open(config: InboundConfig): Promise<void> {
    const inbound = this.add(config)
    await inbound.openAll().catch((error: unknown) => {
      this.remove(inbound)
      throw error
    })
  }

  /**
   * Adds one that listens nowhere yet. @throws ProxyError CONTROL_CONFLICT; ConfigError for its certificate, and for an address
   * that it cannot share with whoever has it
   */
  add(config: InboundConfig): RunningInbound {
    if (config.tag !== '' && this.get(config.tag)) {
      throw new ProxyError('CONTROL_CONFLICT', `there is an inbound with the tag "${config.tag}" already`)
    }
    const inbound = this.create(config)
    const list = [...this.#list, inbound]
    checkSharing(list.map(({ parts }) => parts))
    this.replace(list)
    return inbound
  }

  /** The first ones. @throws ConfigError for a certificate, and for those that cannot share an address */
  fill(configs: readonly InboundConfig[]): void {
    const list = configs.map((config) => this.create(config))
    checkSharing(list.map(({ parts }) => parts))
    this.replace(list)
  }

  /** One that is not among them yet. @throws ConfigError for its certificate */
  create(config: InboundConfig, policy?: PolicyConfig): RunningInbound {
    const users =
      config.protocol === 'vmess'
        ? new UserDirectory<VmessUser>(config.settings.users, readSwitches().legacyUsers)
        : undefined
    const parts = this.#deps.build(config, users, policy)
    const inbound: RunningInbound = new RunningInbound(
      parts,
      users,
      this.#deps.host(() => inbound),
    )
    return inbound
  }

  /** Takes one out: it listens no more, and its users are gone with it. Its flows are the caller's business. */
  remove(inbound: RunningInbound): void {
    this.replace(this.#list.filter((other) => other !== inbound))
  }

  /** These, in this order: new ones bring their users, and what is not among them is taken out. */
  replace(list: readonly RunningInbound[]): void {
    for (const inbound of list) {
      if (this.#list.includes(inbound)) continue
      this.#deps.users.enter(inbound)
    }
    for (const inbound of this.#list) {
      if (list.includes(inbound)) continue
      inbound.closeAll()
      this.#deps.users.leave(inbound)
    }
    this.#list = list
  }

  /** Does not wait: a listener reports itself closed only when the connections it accepted are gone. */
  closeAll(): void {
    for (const inbound of this.#list) inbound.closeAll()
  }
}
