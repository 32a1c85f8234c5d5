import { type Address, formatAddress } from '../../core/address.ts'
import type { Env } from '../../core/env.ts'
import type { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { onceEvery } from '../../core/time/once-every.ts'
import type { SwitchAccount } from '../../protocol/vmess/switch-account.ts'
import { formatUuid } from '../../protocol/vmess/users/identity.ts'
import type { Experiments, SecurityName, VmessServer } from '../../settings/model.ts'
import { type Attempt, BackOff } from '../upstream/back-off.ts'
import type { Candidates } from '../upstream/reach.ts'

/** What a connection authenticates and encrypts with. */
export interface Identity {
  /** 16 bytes, never changed. */
  readonly id: Uint8Array
  readonly alterId: number
  readonly level: number
  readonly experiments: Experiments
  readonly security: SecurityName
}

export interface Server {
  readonly address: Address
  /** At least one. */
  readonly users: readonly Identity[]
  readonly backOff: BackOff
  /** Only for one that a response named. */
  readonly temporary?: Temporary
}

interface Temporary {
  /** Host, port and id: the same three are the same server. Secret. */
  readonly key: string
  untilMs: number
}

/** A minute between two warnings about one server. */
const quietMs = 60_000

/**
 * The servers of one outbound: those of its configuration, and those that responses named, for as long as they said.
 * They take turns. One that cannot be reached is passed over for a while if it is of the configuration, else it goes.
 */
export class Servers implements Candidates<Server> {
  readonly #env: Env
  /** In their order, the temporary ones behind. */
  readonly #list: Server[]
  /** Whose turn it is; behind the last one it is the first one's. */
  #next = 0
  /** Keys of temporary servers that went because they did not work, so that naming them again does not help at once. */
  readonly #dropped = new Map<string, BackOff>()
  /** Servers about which a warning was written, and no word since that they are back. */
  readonly #reported = new WeakSet<Server>()
  readonly #reportDue: (server: string) => boolean

  constructor(configured: readonly VmessServer[], env: Env) {
    this.#env = env
    this.#list = configured.map(({ address, users }) => ({ address, users, backOff: new BackOff(env) }))
    this.#reportDue = onceEvery(env.clock, quietMs)
  }

  /**
   * The server to try, out of those that this request has not tried; undefined when none is left. Whose turn it is comes
   * first. After a failure those of the configuration do, which were meant to last; the ones that are being stayed away
   * from come last of all, but come.
   */
  pick(tried: ReadonlySet<Server>): Server | undefined {
    const [only] = this.#list
    if (this.#list.length === 1) return tried.has(only!) ? undefined : only
    this.#expire()
    const inTurn = [...this.#list.slice(this.#next), ...this.#list.slice(0, this.#next)]
    const open = inTurn.filter((server) => !tried.has(server))
    const ready = open.filter(({ backOff }) => backOff.waitMs === 0)
    const lasting = tried.size > 0 ? ready.find(({ temporary }) => !temporary) : undefined
    const server = lasting ?? ready[0]
    if (!server) return open.toSorted((a, b) => a.backOff.waitMs - b.backOff.waitMs)[0]
    this.#next = (this.#list.indexOf(server) + 1) % this.#list.length
    return server
  }

  /** Whether pick() would find another one. */
  left(tried: ReadonlySet<Server>): boolean {
    return this.#list.some((server) => !tried.has(server))
  }

  /** A connection to the server is there. Of a temporary one that proves little: it must also answer. */
  reached(server: Server): void {
    if (server.temporary) return
    server.backOff.reset()
    if (this.#reported.delete(server)) this.#env.log.info({ server: formatAddress(server.address) }, 'server is back')
  }

  /** The server could not be reached. */
  failed(server: Server, attempt: Attempt, error: ProxyError): void {
    if (server.temporary) {
      this.#drop(server, error.message)
      return
    }
    attempt.failed()
    const name = formatAddress(server.address)
    if (this.#list.length === 1 || !this.#reportDue(name)) return
    this.#reported.add(server)
    const seconds = Math.ceil(server.backOff.waitMs / 1000)
    this.#env.log.warn({ server: name, code: error.code }, `skipping the server for ${seconds} s: ${error.message}`)
  }

  /** The server has answered a connection that used `identity`. Never throws: what it names is its own affair. */
  answered(server: Server, identity: Identity, command: SwitchAccount | undefined): void {
    if (server.temporary) server.backOff.reset()
    if (command && command.port > 0 && command.validMinutes > 0) this.#follow(server, identity, command)
  }

  /** A connection to the server has ended without an answer. That can have many causes, but a temporary one is not needed. */
  unanswered(server: Server): void {
    this.#drop(server, 'it did not answer')
  }

  #follow(sender: Server, identity: Identity, command: SwitchAccount): void {
    const { id, level, port, validMinutes } = command
    const address = { host: command.host || sender.address.host, port }
    const key = `${formatAddress(address)} ${formatUuid(id)}`
    const untilMs = this.#env.clock.elapsed() + validMinutes * 60_000
    const known = this.#list.find(({ temporary }) => temporary?.key === key)?.temporary
    if (known) {
      known.untilMs = Math.max(known.untilMs, untilMs)
      return
    }
    const backOff = this.#dropped.get(key) ?? new BackOff(this.#env)
    // Not even as the last resort: while it is in the list, the others have less time for an attempt.
    if (backOff.waitMs > 0) return
    this.#dropped.delete(key)
    // Security and experiments stay those that the user chose; the command has no word for them. Any of the alternative
    // ids will do, and deriving thousands takes long.
    const user = { ...identity, id, level, alterId: Math.min(command.alterId, limits.switchedAlterIds) }
    this.#list.push({ address, users: [user], backOff, temporary: { key, untilMs } })
    this.#env.log.info(
      { server: formatAddress(address), minutes: validMinutes },
      'using another port or server for a while',
    )
    const temporary = this.#list.filter((server) => server.temporary)
    if (temporary.length > limits.temporaryServers) this.#remove(temporary[0]!)
  }

  #drop(server: Server, why: string): void {
    if (!server.temporary || !this.#remove(server)) return
    const { key } = server.temporary
    server.backOff.failed()
    this.#dropped.set(key, server.backOff)
    if (this.#dropped.size > limits.temporaryServers) this.#dropped.delete(this.#dropped.keys().next().value!)
    this.#env.log.info({ server: formatAddress(server.address) }, `temporary server given up: ${why}`)
  }

  #expire(): void {
    const now = this.#env.clock.elapsed()
    for (const server of [...this.#list]) if (server.temporary && server.temporary.untilMs <= now) this.#remove(server)
  }

  /** False when it was gone already. */
  #remove(server: Server): boolean {
    const at = this.#list.indexOf(server)
    if (at < 0) return false
    this.#list.splice(at, 1)
    if (at < this.#next) this.#next--
    return true
  }
}
