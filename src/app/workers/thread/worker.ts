/** A worker: an instance that serves what the main thread says, counts where it can see, and asks it where it must. */
import type { MessagePort } from 'node:worker_threads'
import type { Address } from '../../../core/address.ts'
import type { Logger } from '../../../core/env.ts'
import { ProxyError, toProxyError } from '../../../core/errors.ts'
import { type BoundSocket, tcpListener } from '../../../net/tcp.ts'
import { InstanceControl } from '../../control/control.ts'
import { systemClock, systemEnv } from '../../instance/env.ts'
import { Instance } from '../../instance/instance.ts'
import { Turns } from '../../instance/turns.ts'
import { sessionLog } from '../../log/session-log.ts'
import { reload } from '../../reload/reload.ts'
import { version } from '../../version.ts'
import { sharedClock } from '../clock.ts'
import { sharedIds } from '../memory/ids.ts'
import { SharedHistory, SharedReplay } from '../memory/replay.ts'
import { sharedPaths } from '../memory/shared-paths.ts'
import { Slots } from '../memory/slots.ts'
import { usedTrafficStride } from '../memory/used-traffic.ts'
import {
  type ErrorText,
  errorText,
  type FromWorker,
  type Questions,
  type ServerState,
  type ToWorker,
  type UserStep,
  type WorkerStart,
} from '../messages.ts'
import { tallying } from '../tallies.ts'
import { WorkerAccounts } from './accounts.ts'
import { Admissions } from './admissions.ts'
import { CellCounters } from './counters.ts'
import { workerLog } from './log.ts'

export interface WorkerHooks {
  /** What the thread does with the log for faults that nobody caught. */
  readonly started?: (log: Logger) => void
}

/** Serves until the port is closed or the thread is ended. */
export function runWorker(port: MessagePort, start: WorkerStart, hooks: WorkerHooks = {}): void {
  const worker = new WorkerThread(port, start, hooks)
  port.on('message', (message: ToWorker) => worker.heard(message))
}

class WorkerThread {
  readonly #start: WorkerStart
  readonly #hooks: WorkerHooks
  readonly #say: (message: FromWorker) => void
  readonly #clock
  readonly #cells: Slots
  /** Of accounts; the main thread adds to it. */
  readonly #used: Slots
  readonly #admissions: Admissions
  readonly #accounts: WorkerAccounts
  readonly #counters
  /** What changes something comes in its order. */
  readonly #turns = new Turns()
  readonly #borrowing = new Map<number, (bound: BoundSocket | ErrorText) => void>()
  #last = 0
  #log: ReturnType<typeof workerLog> | undefined
  #instance: Instance | undefined
  #control: InstanceControl | undefined
  #unwatch: (() => void) | undefined

  constructor(port: MessagePort, start: WorkerStart, hooks: WorkerHooks) {
    this.#start = start
    this.#hooks = hooks
    this.#say = (message) => port.postMessage(message)
    this.#clock = sharedClock(systemClock, start.clockAheadMs)
    this.#cells = new Slots(2, (segment) => this.#say({ type: 'segment', segment }))
    this.#used = new Slots(usedTrafficStride(start.workers + 1))
    this.#admissions = new Admissions(this.#cells, this.#say)
    this.#counters = new CellCounters(this.#cells, {
      made: (name, slot) => this.#say({ type: 'counter', name, slot }),
      left: (name, slot) => this.#say({ type: 'uncounted', name, slot }),
    })
    this.#accounts = new WorkerAccounts({
      clock: this.#clock,
      number: start.number,
      admissions: this.#admissions,
      used: (slot) => this.#used.viewOf(slot),
      spent: (email) => this.#say({ type: 'spent', email }),
    })
  }

  heard(message: ToWorker): void {
    switch (message.type) {
      case 'segment':
        this.#used.know(message.segment)
        return
      case 'account':
        this.#accounts.know(message.account)
        return
      case 'closed':
        this.#accounts.closed(message)
        return
      case 'forget':
        this.#counters.forget('user', message.email)
        return
      case 'admitted':
        this.#admissions.admitted(message.member)
        return
      case 'refused':
        this.#admissions.refused(message.member, message.error)
        return
      case 'end':
        this.#admissions.end(message.member, message.error)
        return
      case 'lent':
        this.#borrowing.get(message.id)?.(message.bound)
        this.#borrowing.delete(message.id)
        return
      case 'kill':
        this.#instance?.kill()
        return
      case 'ask':
        void this.#answer(message)
    }
  }

  async #answer({ id, question, of }: Extract<ToWorker, { type: 'ask' }>): Promise<void> {
    try {
      const value: unknown = await this.#questions[question](of as never)
      this.#log?.flush()
      this.#say({ type: 'answer', id, value })
    } catch (error) {
      this.#say({ type: 'answer', id, error: errorText(toProxyError(error, 'SERVER_FAULT')) })
    }
  }

  readonly #questions: { readonly [Q in keyof Questions]: (of: Parameters<Questions[Q]>[0]) => unknown } = {
    sync: (state) => this.#turns.take(() => this.#become(state)),
    users: (steps) => this.#turns.take(async () => this.#steps(steps)),
    nothing: () => this.#turns.take(async () => {}),
    override: ({ tag, target }) => this.#turns.take(() => this.#running.control.overrideBalancer(tag, target)),
    status: () => this.#status(),
    occupancy: () => [...this.#accounts.occupancy()],
    sessions: () => this.#running.control.sessions(),
    sessionPage: (query) => this.#running.control.sessionPage(query),
    endSessions: ({ id, email = '' }) => this.#end(id, email.toLowerCase()),
    watch: (on) => this.#watch(on),
    stop: (graceMs) => this.#instance?.stop(graceMs),
  }

  get #running(): { readonly instance: Instance; readonly control: InstanceControl } {
    const [instance, control] = [this.#instance, this.#control]
    if (!instance || !control) throw new ProxyError('SERVER_FAULT', 'the worker has not begun')
    return { instance, control }
  }

  async #become({ config, apiAddresses, overrides }: ServerState): Promise<void> {
    const before = this.#instance
    if (before) await reload(before, config, this.#env(config))
    else await this.#begin(config, apiAddresses)
    const { instance } = this.#running
    instance.api.listeningElsewhere(apiAddresses)
    for (const { tag } of instance.routing.config.balancers) {
      const balancer = instance.routing.balancer(tag)
      if (balancer) balancer.override = overrides.find(([of]) => of === tag)?.[1]
    }
  }

  async #begin(config: ServerState['config'], apiAddresses: readonly Address[]): Promise<void> {
    const env = this.#env(config)
    const { number, workers, replay, paths, ids, openFiles } = this.#start
    const access = this.#log!.access
    const instance = new Instance(config, {
      env,
      observers: [access, sessionLog(env.log, env.clock), tallying(this.#counters)],
      ids: sharedIds(ids),
      shared: {
        accounts: this.#accounts,
        counters: this.#counters,
        replay: new SharedReplay(env.clock, replay.auths, number),
        history: new SharedHistory(env.clock, replay.sessions, number),
        paths: sharedPaths(paths, number),
        sockets: (options) => tcpListener({ ...options, bound: (at) => this.#borrow(at) }),
        threads: workers + 1,
        openFiles,
      },
    })
    instance.api.listeningElsewhere(apiAddresses)
    this.#hooks.started?.(env.log)
    await instance.start()
    this.#instance = instance
    const nothing = () => Promise.reject(new ProxyError('CONTROL_INVALID', 'a worker follows the main thread'))
    this.#control = new InstanceControl({ instance, env, version, reload: nothing, restartLog: () => {} })
  }

  #env({ log }: ServerState['config']) {
    this.#log ??= workerLog(log, this.#start.log, this.#clock, this.#say)
    return { ...systemEnv(this.#log.log), clock: this.#clock }
  }

  #borrow(at: Address): Promise<BoundSocket> {
    const id = ++this.#last
    return new Promise((resolve, reject) => {
      this.#borrowing.set(id, (bound) => {
        if ('fd' in bound) resolve(bound)
        else reject(new ProxyError(bound.code, bound.message, { hint: bound.hint }))
      })
      this.#say({ type: 'borrow', id, at })
    })
  }

  #steps(steps: readonly UserStep[]): number {
    const { instance } = this.#running
    let ended = 0
    for (const step of steps) {
      const inbound = instance.inbound(step.inbound)
      if (!inbound) continue
      if (step.what === 'put') instance.users.change(inbound, step.user)
      else {
        const user = inbound.users?.get(step.id)
        if (user) ended += instance.users.remove(inbound, user)
      }
    }
    return ended
  }

  #status(): ReturnType<Questions['status']> {
    const { instance } = this.#running
    return {
      connections: instance.connections,
      sessions: instance.flows.size,
      inbounds: instance.inbounds.map(({ connections }) => connections),
    }
  }

  #end(id: number | undefined, email: string): number {
    const { flows } = this.#running.instance
    const reason = new ProxyError('SESSION_ENDED', 'an operator ended the session')
    return flows.end(reason, ({ session, account }) =>
      id === undefined ? (account?.email ?? session.user.email).toLowerCase() === email : session.id === id,
    )
  }

  async #watch(on: boolean): Promise<void> {
    this.#unwatch?.()
    this.#unwatch = on ? await this.#running.control.watch((event) => this.#say({ type: 'event', event })) : undefined
  }
}
