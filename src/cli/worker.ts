/** What a thread of `workers` runs: src/app/workers/thread, and an end for exceptions that nobody caught. */
import { parentPort, workerData } from 'node:worker_threads'
import type { WorkerStart } from '../app/workers/messages.ts'
import { runWorker } from '../app/workers/thread/worker.ts'
import { watchPeers } from '../net/on-behalf.ts'
import { LastResort } from './process/last-resort.ts'

const port = parentPort
if (port) {
  runWorker(port, workerData as WorkerStart, {
    started(log) {
      const end = (reason: string): void => {
        port.postMessage({ type: 'fault', reason })
        // Only this thread: the main thread puts another in its place.
        process.exit(1)
      }
      watchPeers()
      process.on('uncaughtException', new LastResort({ log, end }).fault)
    },
  })
}

/** False where it is loaded by anything but a thread. */
export const serving = port !== null
