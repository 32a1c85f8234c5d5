import { type ChildProcess, type SendHandle, spawn } from 'node:child_process'
import { ProxyError } from '../../../core/errors.ts'
import type { RawSocket } from './raw.ts'

/** Sends back what it is given. */
const echo = "process.on('message', (id, handle) => process.send(id, handle))"
/** So long the helper is kept for more, ms. */
const keptMs = 2_000

interface Waiting {
  resolve(socket: RawSocket): void
  reject(error: Error): void
}

/**
 * Makes second descriptors of sockets. All threads have one table of descriptors, and a thread that ends closes its own:
 * each needs a descriptor for itself. Node has no dup(), but what comes back from another process is one.
 */
export class Duplicates {
  readonly #waiting = new Map<number, Waiting>()
  #helper: ChildProcess | undefined
  #last = 0
  #end: NodeJS.Timeout | undefined

  /** Rejects with LISTEN_FAILED. */
  of(socket: RawSocket): Promise<RawSocket> {
    clearTimeout(this.#end)
    this.#helper ??= this.#start()
    const helper = this.#helper
    const id = ++this.#last
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      helper.send(id, socket as unknown as SendHandle, (error) => error && this.#failed(helper, error))
    })
  }

  close(): void {
    clearTimeout(this.#end)
    const helper = this.#helper
    this.#helper = undefined
    if (helper?.connected) helper.disconnect()
  }

  #start(): ChildProcess {
    const helper = spawn(process.execPath, ['-e', echo], { env: {}, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    helper.on('message', (id, handle) => {
      this.#waiting.get(id as number)?.resolve(handle as unknown as RawSocket)
      this.#waiting.delete(id as number)
      if (this.#waiting.size > 0) return
      this.#end = setTimeout(() => this.close(), keptMs)
      this.#end.unref()
    })
    helper.on('error', (error) => this.#failed(helper, error))
    helper.on('exit', () => this.#failed(helper, new Error('the helper that duplicates sockets has ended')))
    helper.unref()
    return helper
  }

  #failed(helper: ChildProcess, cause: Error): void {
    if (this.#helper !== helper) return
    this.#helper = undefined
    const error = new ProxyError('LISTEN_FAILED', `a listening socket could not be shared: ${cause.message}`, { cause })
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
