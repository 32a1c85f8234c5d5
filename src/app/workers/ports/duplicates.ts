import { type ChildProcess, type SendHandle, spawn } from 'node:child_process'
import { ProxyError } from '../../../core/errors.ts'
import { Turns } from '../../instance/turns.ts'
import type { RawSocket } from './raw.ts'

/** Sends back what it is given, and keeps nothing: its descriptor would hold the address. */
const echo = "process.on('message', (id, handle) => process.send(id, handle, {}, () => handle.close()))"
/** So long the helper is kept for more, ms. */
const keptMs = 2_000

interface Waiting {
  resolve(socket: RawSocket): void
  reject(error: Error): void
}

/**
 * Makes second descriptors of sockets. All threads have one table of descriptors, and a thread that ends closes its own:
 * each needs a descriptor for itself. Node has no dup(), but what comes back from another process is one.
 *
 * One at a time: Node fails in the middle of its own code when a helper is let go to whom something is still to be sent.
 */
export class Duplicates {
  readonly #turns = new Turns()
  #waiting: Waiting | undefined
  #helper: ChildProcess | undefined
  #end: NodeJS.Timeout | undefined

  /** Rejects with LISTEN_FAILED. */
  of(socket: RawSocket): Promise<RawSocket> {
    return this.#turns.take(() => {
      clearTimeout(this.#end)
      this.#helper ??= this.#start()
      const helper = this.#helper
      return new Promise<RawSocket>((resolve, reject) => {
        this.#waiting = { resolve, reject }
        // Nothing else may keep the program up while it starts.
        helper.ref()
        helper.channel?.ref()
        helper.send(0, socket as unknown as SendHandle, (error) => error && this.#failed(helper, error))
      })
    })
  }

  /** Lets the helper go, once what was asked for is there. */
  close(): void {
    clearTimeout(this.#end)
    void this.#turns.take(async () => {
      const helper = this.#helper
      this.#helper = undefined
      if (helper?.connected) helper.disconnect()
    })
  }

  #start(): ChildProcess {
    const helper = spawn(process.execPath, ['-e', echo], { env: {}, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    helper.on('message', (_id, handle) => {
      this.#waiting?.resolve(handle as unknown as RawSocket)
      this.#waiting = undefined
      helper.unref()
      helper.channel?.unref()
      clearTimeout(this.#end)
      this.#end = setTimeout(() => this.close(), keptMs)
      this.#end.unref()
    })
    helper.on('error', (error) => this.#failed(helper, error))
    helper.on('exit', () => this.#failed(helper, new Error('the helper that duplicates sockets has ended')))
    return helper
  }

  #failed(helper: ChildProcess, cause: Error): void {
    if (this.#helper !== helper) return
    this.#helper = undefined
    const error = new ProxyError('LISTEN_FAILED', `a listening socket could not be shared: ${cause.message}`, { cause })
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}
