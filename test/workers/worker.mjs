/** A worker of the built command that a test can hold up, and end in the two ways in which threads end by themselves. */
import { workerData } from 'node:worker_threads'
import '../../dist/cli/worker.js'

const fill = []

const does = {
  /** Nothing more happens in this thread until the first word is 1; the second says that it has come to that. */
  hold({ words }) {
    Atomics.store(words, 1, 1)
    Atomics.notify(words, 1)
    Atomics.wait(words, 0, 0)
  },
  throw() {
    setImmediate(() => {
      throw new Error('a fault that a test wanted')
    })
  },
  exhaust() {
    for (;;) fill.push(new Array(1024).fill({}))
  },
}

new BroadcastChannel('test').onmessage = ({ data: { number, what, ...of } }) => {
  if (number === workerData.number) does[what](of)
}
