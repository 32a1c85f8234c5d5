import type { ControlEvent } from '../../../control/control.ts'
import type { Cancel } from '../../../core/env.ts'
import { toProxyError } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'
import { FormerUsers } from '../../../stats/former-users.ts'
import { openFilesLimit } from '../../descriptors/open-files.ts'
import type { Instance } from '../../instance/instance.ts'
import type { InstanceDeps } from '../../instance/instance-deps.ts'
import { monotonicAheadMs } from '../clock.ts'
import { sharedIds } from '../memory/ids.ts'
import { createReplayTables, SharedHistory, SharedReplay } from '../memory/replay.ts'
import { createPaths, sharedPaths } from '../memory/shared-paths.ts'
import {
  type Answer,
  type Asked,
  errorText,
  type FromWorker,
  type Question,
  type ToWorker,
  type WorkerStart,
} from '../messages.ts'
import { HeldPorts } from '../ports/held-ports.ts'
import { SharedAccounts } from './accounts.ts'
import { SummedCounters } from './counters.ts'
import type { CommonParts, CrewOptions } from './options.ts'
import { Pauses, partOfHeapMb } from './spare.ts'
import { stateOf } from './state.ts'
import { Thread } from './thread.ts'

/** The workers of a server: they have what the main thread has, count for it, and are replaced when they end. */
export class Crew {
  readonly size: number
  /** What the instance of the main thread has in common with theirs. */
  readonly parts: Required<Pick<InstanceDeps, 'ids'>> & { readonly shared: CommonParts }
  /** Told what happens in workers, while somebody watches. */
  readonly watchers = new Set<(event: ControlEvent) => void>()
  readonly #options: CrewOptions
  readonly #accounts: SharedAccounts
  readonly #counters: SummedCounters
  readonly #ports = new HeldPorts(() => this.#follow())
  readonly #start: Omit<WorkerStart, 'number'>
  readonly #heapMb: number
  readonly #threads = new Map<number, Thread>()
  readonly #pauses: Pauses
  #instance: Instance | undefined
  #stopping = false
  #cancelFollow: Cancel = () => {}

  constructor(options: CrewOptions) {
    const { env, workers, log } = options
    this.#options = options
    this.size = workers
    this.#pauses = new Pauses(workers)
    this.#heapMb = options.heapMb ?? partOfHeapMb(workers)
    this.#accounts = new SharedAccounts({ clock: env.clock, threads: workers + 1, tell: (it) => this.tell(it) })
    this.#counters = new SummedCounters((email) => this.tell({ type: 'forget', email }))
    this.#accounts.accounts.watch(new FormerUsers(this.#counters))
    const replay = createReplayTables(env.clock, env.random)
    const paths = createPaths()
    const ids = new SharedArrayBuffer(8)
    const openFiles = Math.floor(openFilesLimit() / (workers + 1))
    this.#start = { workers, replay, paths, ids, clockAheadMs: monotonicAheadMs(env.clock), openFiles, log }
    this.parts = {
      ids: sharedIds(ids),
      shared: {
        accounts: this.#accounts.accounts,
        counters: this.#counters,
        replay: new SharedReplay(env.clock, replay.auths, 0),
        history: new SharedHistory(env.clock, replay.sessions, 0),
        paths: sharedPaths(paths, 0),
        sockets: ({ ipv6Only = false }) => this.#ports.listener(ipv6Only),
        after: (base) => this.#ports.after(base),
        threads: workers + 1,
        openFiles,
        changed: () => this.sync(),
      },
    }
  }

  /** Brings the workers up beside an instance that listens. Rejects with LISTEN_FAILED and what else keeps one from its start. */
  async start(instance: Instance): Promise<void> {
    this.#instance = instance
    this.#cancelFollow()
    await this.#ports.prepare(this.size)
    const numbers = Array.from({ length: this.size }, (_, i) => i + 1)
    await Promise.all(numbers.map((number) => this.#begin(number, instance)))
    this.#replenish()
  }

  /** What became of handshakes and sessions in workers. */
  get tallies(): SummedCounters['tallies'] {
    return this.#counters.tallies
  }

  tell(message: ToWorker): void {
    for (const thread of this.#threads.values()) thread.tell(message)
  }

  /** Asks every worker; one that ends meanwhile has nothing to answer. */
  async ask<Q extends Question>(question: Q, of: Asked<Q>): Promise<Answer<Q>[]> {
    const answers = await Promise.all(
      [...this.#threads.values()].map((thread) =>
        thread.ask(question, of).then(
          (answer) => [answer],
          (error: Error) => (this.#threads.get(thread.number) === thread ? Promise.reject(error) : []),
        ),
      ),
    )
    return answers.flat()
  }

  /** Has the workers become what the main thread is. Resolves when they are. */
  async sync(): Promise<void> {
    const instance = this.#instance
    if (!instance || this.#stopping) return
    this.#cancelFollow()
    await this.#ports.prepare(this.size)
    const state = this.#stateOf(instance)
    await Promise.all([...this.#threads.values()].map((thread) => this.#become(thread, state)))
    await this.#ports.settle()
    await this.heard()
  }

  /** An address that was taken is free at last: nobody asks for that. What changes by a reload comes with it. */
  #follow(): void {
    this.#cancelFollow()
    this.#cancelFollow = this.#options.env.clock.after(limits.workersFollowMs, () => {
      this.sync().catch((err) => this.#options.env.log.error({ err }, 'workers could not follow'))
    })
  }

  #stateOf(instance: Instance): Asked<'sync'> {
    return stateOf(instance, (at) => this.#ports.holds(at))
  }

  /** Resolves when everything that was said until now has been heard, and what that led to as well. */
  async heard(): Promise<void> {
    const free = this.#accounts.settle()
    await this.ask('nothing', undefined)
    free()
    await this.ask('nothing', undefined)
  }

  /** Lets connections end for `graceMs`, and ends the workers. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    this.#cancelFollow()
    await Promise.all([...this.#threads.values()].map((thread) => thread.ask('stop', graceMs).catch(() => {})))
    await Promise.all([...this.#threads.values()].map((thread) => thread.terminate('the program is stopping')))
    this.#ports.close()
  }

  /** Cuts every connection now; a stop() in progress then ends at once. */
  kill(): void {
    this.tell({ type: 'kill' })
  }

  async #begin(number: number, instance: Instance): Promise<void> {
    const thread: Thread = new Thread({
      entry: this.#options.entry,
      start: { number, ...this.#start },
      heapMb: this.#heapMb,
      said: (from, message) => this.#said(from, message),
      ended: (which, reason) => this.#lost(which, reason),
    })
    this.#threads.set(number, thread)
    for (const message of this.#accounts.greeting()) thread.tell(message)
    await thread.ask('sync', this.#stateOf(instance))
    if (this.watchers.size > 0) await thread.ask('watch', true)
  }

  /** One that cannot follow is ended: the one in its place begins with what holds now. */
  async #become(thread: Thread, state: Asked<'sync'>): Promise<void> {
    try {
      await thread.ask('sync', state)
    } catch (error) {
      await thread.terminate(`it could not take up what was changed: ${(error as Error).message}`)
    }
  }

  #said(thread: Thread, message: FromWorker): void {
    switch (message.type) {
      case 'counter':
      case 'uncounted':
        this.#counters.said(message, thread.number, thread.cells.viewOf(message.slot))
        return
      case 'borrow':
        this.#ports
          .lend(message.at)
          .catch((error) => errorText(toProxyError(error, 'LISTEN_FAILED')))
          .then((bound) => thread.tell({ type: 'lent', id: message.id, bound }))
        return
      case 'admit':
      case 'joined':
        this.#accounts.admit(thread.number, message, thread.cells.viewOf(message.slot), (it) => thread.tell(it))
        return
      case 'leave':
        this.#accounts.leave(thread.number, message.member)
        return
      case 'spent':
        this.#accounts.spent(message.email)
        return
      case 'log':
      case 'access':
        this.#options.lines[message.type](message.text)
        return
      case 'event':
        for (const watcher of this.watchers) watcher(message.event)
    }
  }

  #lost(thread: Thread, reason: string): void {
    const { number } = thread
    const { replay, history, paths } = this.parts.shared
    for (const memory of [replay, history, paths]) memory.forget(number)
    this.#accounts.lost(number)
    this.#counters.settle(number)
    if (this.#threads.get(number) !== thread) return
    this.#threads.delete(number)
    const instance = this.#instance
    if (this.#stopping || !instance?.ready) return
    const { log, clock } = this.#options.env
    const waitMs = this.#pauses.next(clock.elapsed())
    log.error({ worker: number }, `a worker has ended, and its connections with it; it is replaced: ${reason}`)
    clock.after(waitMs, () => this.#replace(number, instance))
  }

  #replace(number: number, instance: Instance): void {
    if (this.#stopping || !instance.ready) return
    const { log } = this.#options.env
    this.#begin(number, instance).then(
      () => {
        log.warn({ worker: number }, 'the worker is replaced')
        this.#replenish()
      },
      (err) => {
        if (this.#stopping) return
        log.error({ err, worker: number }, 'a worker could not begin')
        void this.#threads.get(number)?.terminate(`it could not begin: ${(err as Error).message}`)
      },
    )
  }

  /** Those that have to be replaced need not wait for their descriptors. */
  #replenish(): void {
    this.#ports
      .prepare(this.size)
      .catch((err) => this.#options.env.log.warn({ err }, 'no spare descriptors for workers'))
  }
}
