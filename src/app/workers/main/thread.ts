import { Worker } from 'node:worker_threads'
import { type ErrorCode, ProxyError } from '../../../core/errors.ts'
import { Slots } from '../memory/slots.ts'
import type { Answer, Asked, ErrorText, FromWorker, Question, ToWorker, WorkerStart } from '../messages.ts'

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

export interface ThreadDeps {
  /** The file that a worker runs. */
  readonly entry: URL
  readonly start: WorkerStart
  /** What its heap may come to, MiB; beyond it ends. */
  readonly heapMb: number
  /** Has something to say, other than an answer. */
  readonly said: (thread: Thread, message: FromWorker) => void
  /** It has ended, and nothing more comes from it. */
  readonly ended: (thread: Thread, reason: string) => void
}

/** One worker, from its start to its end, as the main thread sees it. */
export class Thread {
  readonly number: number
  /** What it counts. */
  readonly cells = new Slots(2)
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #last = 0
  #reason = ''
  #gone = false

  constructor({ entry, start, heapMb, said, ended }: ThreadDeps) {
    this.number = start.number
    this.#worker = new Worker(entry, {
      workerData: start,
      name: `worker ${start.number}`,
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    })
    this.#worker.on('message', (message: FromWorker) => {
      if (message.type === 'answer') this.#answered(message)
      else if (message.type === 'segment') this.cells.know(message.segment)
      else if (message.type === 'fault') this.#reason = message.reason
      else said(this, message)
    })
    this.#worker.on('error', (error: Error) => {
      this.#reason ||= error.stack ?? String(error)
    })
    this.#worker.on('exit', () => {
      this.#gone = true
      ended(this, this.#reason || 'it was ended')
      const gone = new ProxyError('SERVER_FAULT', `worker ${this.number} has ended`)
      for (const { reject } of this.#waiting.values()) reject(gone)
      this.#waiting.clear()
    })
  }

  tell(message: ToWorker): void {
    if (!this.#gone) this.#worker.postMessage(message)
  }

  /** Rejects with the ProxyError that it answers, or SERVER_FAULT when it ends first. */
  ask<Q extends Question>(question: Q, of: Asked<Q>): Promise<Answer<Q>> {
    if (this.#gone) return Promise.reject(new ProxyError('SERVER_FAULT', `worker ${this.number} has ended`))
    const id = ++this.#last
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    this.tell({ type: 'ask', id, question, of })
    return answer as Promise<Answer<Q>>
  }

  async terminate(reason: string): Promise<void> {
    this.#reason ||= reason
    await this.#worker.terminate()
  }

  #answered({ id, value, error }: Extract<FromWorker, { type: 'answer' }>): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error) waiting?.reject(asError(error))
    else waiting?.resolve(value)
  }
}

export const asError = ({ code, message, hint }: ErrorText): ProxyError =>
  new ProxyError(code as ErrorCode, message, { hint })
