import type { Address } from '../../core/address.ts'
import type { Cancel, Env } from '../../core/env.ts'
import { ProxyError, toProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { AllocateConfig, ListenConfig } from '../../settings/model.ts'

/** A port that is open now, and for how many minutes a client may count on it: 1 to 255. */
export interface LivePort {
  readonly port: number
  readonly minutes: number
}

/** What opens and closes single addresses of an inbound. */
export interface PortHost {
  /** Resolves with what was bound. Rejects with LISTEN_FAILED. */
  open(listen: ListenConfig): Promise<Address>
  /** Stops accepting; connections live on. */
  close(listen: ListenConfig): void
  isOpen(listen: ListenConfig): boolean
}

export interface DynamicPortsConfig {
  /** The inbound's, for the log. */
  readonly tag: string
  /** The range. */
  readonly listen: readonly ListenConfig[]
  readonly allocate: AllocateConfig
}

/** Ports that were opened together and are closed together. */
interface Batch {
  readonly config: DynamicPortsConfig
  readonly ports: readonly { readonly listen: ListenConfig; readonly port: number }[]
  readonly openedAt: number
  readonly cancelEnd: Cancel
}

const minuteMs = 60_000
/** A switch command has one byte for the minutes. */
export const minutesMax = 255

/**
 * The moving ports of one inbound. Every refresh period another batch of random ports is opened, and each batch is open
 * for two periods: who was told of a port shortly before a refresh can use it for as long as was said.
 */
export class DynamicPorts {
  readonly #host: PortHost
  readonly #env: Env
  #config: DynamicPortsConfig | undefined
  /** The newest last. */
  #batches: readonly Batch[] = []
  #cancelRefresh: Cancel = () => {}
  /** Counts up with every change of settings: what was begun under others is given up. */
  #settings = 0

  constructor(host: PortHost, env: Env) {
    this.#host = host
    this.#env = env
  }

  /**
   * Moves ports by these settings from now on and opens the first batch; ports opened under others stay for the rest of
   * their time. Without settings nothing moves any more, and the open ports are the caller's.
   * Rejects with LISTEN_FAILED when not one port could be opened; the next refresh will try again.
   */
  async follow(config: DynamicPortsConfig | undefined): Promise<void> {
    if (JSON.stringify(config) === JSON.stringify(this.#config)) return
    this.#change(config)
    if (!config) {
      for (const { cancelEnd } of this.#batches) cancelEnd()
      this.#batches = []
      return
    }
    const failures = await this.#renew(config)
    const [first] = failures
    if (!first || this.#batches.at(-1)?.ports.length !== 0) return
    const message = `not one dynamic port could be opened, ${failures.length} were tried: ${first.message}`
    throw new ProxyError('LISTEN_FAILED', message, { cause: first, ...(first.hint && { hint: first.hint }) })
  }

  /** Closes every port now. */
  stop(): void {
    this.#change(undefined)
    for (const batch of this.#batches) this.#close(batch)
  }

  /** One of the newest batch, for as long as that is the newest. Undefined when it has none. */
  randomPort(): LivePort | undefined {
    const batch = this.#batches.at(-1)
    if (!batch || batch.ports.length === 0) return undefined
    const { port } = batch.ports[this.#env.random.below(batch.ports.length)]!
    const { refreshMinutes } = batch.config.allocate
    const passed = Math.floor((this.#env.clock.elapsed() - batch.openedAt) / minuteMs)
    const minutes = Math.min(refreshMinutes - passed, minutesMax)
    return { port, minutes: Math.max(minutes, 1) }
  }

  /** True where ports move. */
  get active(): boolean {
    return this.#config !== undefined
  }

  #change(config: DynamicPortsConfig | undefined): void {
    this.#settings++
    this.#config = config
    this.#cancelRefresh()
  }

  /** Opens another batch, and another one each period from now on. Resolves with the ports that could not be opened. */
  async #renew(config: DynamicPortsConfig): Promise<readonly ProxyError[]> {
    const settings = this.#settings
    // The batch before the newest is due at this very moment: its ports can be had for the next one.
    const due = this.#batches.filter((batch) => batch.config === config).slice(0, -1)
    for (const batch of due) this.#close(batch)
    const { opened, failures } = await this.#openSome(config, () => this.#settings === settings)
    if (this.#settings !== settings) {
      for (const { listen } of opened) this.#host.close(listen)
      return []
    }
    this.#enter(config, opened)
    this.#tell(config, opened.length, failures)
    const periodMs = config.allocate.refreshMinutes * minuteMs
    this.#cancelRefresh = this.#env.clock.after(periodMs, () => void this.#renew(config))
    return failures
  }

  async #openSome({ listen, allocate }: DynamicPortsConfig, goOn: () => boolean) {
    const free = listen.filter((one) => !this.#host.isOpen(one))
    const opened: { listen: ListenConfig; port: number }[] = []
    const failures: ProxyError[] = []
    while (goOn() && opened.length < allocate.concurrency && free.length > 0 && failures.length < limits.portTries) {
      const one = takeOne(free, this.#env.random.below(free.length))
      try {
        opened.push({ listen: one, port: (await this.#host.open(one)).port })
      } catch (error) {
        failures.push(toProxyError(error, 'LISTEN_FAILED'))
      }
    }
    return { opened, failures }
  }

  #enter(config: DynamicPortsConfig, ports: Batch['ports']): void {
    const { clock } = this.#env
    const lifeMs = 2 * config.allocate.refreshMinutes * minuteMs
    const cancelEnd = clock.after(lifeMs, () => this.#close(batch))
    const batch: Batch = { config, ports, openedAt: clock.elapsed(), cancelEnd }
    this.#batches = [...this.#batches, batch]
    this.#log(batch, `open for ${2 * config.allocate.refreshMinutes} minutes`)
  }

  #close(batch: Batch): void {
    batch.cancelEnd()
    this.#batches = this.#batches.filter((other) => other !== batch)
    for (const { listen } of batch.ports) this.#host.close(listen)
    this.#log(batch, 'closed')
  }

  #log({ config, ports }: Batch, what: string): void {
    if (ports.length === 0) return
    const list = ports.map(({ port }) => port).join(', ')
    this.#env.log.info({ inbound: config.tag }, `dynamic ports ${what}: ${list}`)
  }

  #tell({ tag, allocate }: DynamicPortsConfig, opened: number, failures: readonly ProxyError[]): void {
    for (const { message } of failures) this.#env.log.warn({ inbound: tag }, `dynamic port: ${message}`)
    if (opened === allocate.concurrency) return
    this.#env.log.warn({ inbound: tag }, `only ${opened} of ${allocate.concurrency} dynamic ports could be opened`)
  }
}

/** Takes an element out of a list whose order does not matter. */
function takeOne<T>(list: T[], index: number): T {
  const taken = list[index]!
  list[index] = list.at(-1)!
  list.pop()
  return taken
}
