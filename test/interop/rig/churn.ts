import { connect, type Socket } from 'node:net'

export interface ChurnPlan {
  /** A loopback port behind which every connection is echoed. */
  readonly port: number
  readonly count: number
  /** Connections at a time. */
  readonly concurrency: number
  /** Bytes echoed on each connection. */
  readonly bytes: number
  /** A connection without its echo for so long counts as stalled. */
  readonly stallMs: number
  readonly onProgress?: (done: number) => void
}

export interface ChurnResult {
  readonly completed: number
  /** Closed or reset before the echo was whole. */
  readonly refused: number
  readonly stalled: number
  /** From the start to the last completed connection. */
  readonly ms: number
}

/** Opens connection after connection; each sends its own bytes, waits until they are back, and closes. */
export async function churn(plan: ChurnPlan): Promise<ChurnResult> {
  const startedAt = performance.now()
  const counts = { completed: 0, refused: 0, stalled: 0 }
  let started = 0
  let lastAt = startedAt
  const worker = async () => {
    while (started < plan.count) {
      const outcome = await echoedConnection(plan, started++)
      counts[outcome]++
      if (outcome === 'completed') lastAt = performance.now()
      plan.onProgress?.(counts.completed + counts.refused + counts.stalled)
    }
  }
  await Promise.all(Array.from({ length: plan.concurrency }, worker))
  return { ...counts, ms: lastAt - startedAt }
}

function echoedConnection(plan: ChurnPlan, index: number): Promise<'completed' | 'refused' | 'stalled'> {
  return new Promise((resolve) => {
    const sent = Buffer.alloc(plan.bytes, `connection ${index} `)
    const socket: Socket = connect({ host: '127.0.0.1', port: plan.port, noDelay: true })
    let received = 0
    const finish = (outcome: 'completed' | 'refused' | 'stalled') => {
      clearTimeout(timer)
      socket.destroy()
      resolve(outcome)
    }
    const timer = setTimeout(() => finish('stalled'), plan.stallMs)
    socket.once('connect', () => socket.write(sent))
    socket.on('data', (bytes) => {
      const right = sent.subarray(received, received + bytes.length).equals(bytes)
      received += bytes.length
      if (!right) finish('refused')
      else if (received === sent.length) finish('completed')
    })
    socket.once('error', () => finish('refused'))
    socket.once('close', () => finish('refused'))
  })
}
