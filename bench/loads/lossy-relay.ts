import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { fakeRandom } from '../../src/testing/fakes.ts'

export interface LossyRelay {
  readonly port: number
  /** Datagrams that came in, and those of them that were lost. */
  readonly counts: { came: number; lost: number }
  close(): void
}

interface Relayed {
  readonly dueMs: number
  send(): void
}

const bufferBytes = 4 * 1024 * 1024

/** Sends datagrams on to a loopback port and answers back, each way with so much loss and delay; the same seed loses the same ones. */
export async function lossyRelay(to: number, lossPercent: number, delayMs: number, seed: number): Promise<LossyRelay> {
  const random = fakeRandom(seed)
  const counts = { came: 0, lost: 0 }
  const waiting: Relayed[] = []
  let timer: NodeJS.Timeout | undefined
  const deliver = (): void => {
    timer = undefined
    const now = performance.now()
    let count = 0
    while (count < waiting.length && waiting[count]!.dueMs <= now) waiting[count++]!.send()
    waiting.splice(0, count)
    if (waiting.length > 0) timer = setTimeout(deliver, 1)
  }
  const pass = (send: () => void): void => {
    counts.came++
    if (random.below(100) < lossPercent) {
      counts.lost++
      return
    }
    waiting.push({ dueMs: performance.now() + delayMs, send })
    timer ??= setTimeout(deliver, delayMs)
  }
  const open = async (): Promise<Socket> => {
    const socket = createSocket('udp4')
    socket.on('error', () => {})
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    socket.setRecvBufferSize(bufferBytes)
    socket.setSendBufferSize(bufferBytes)
    return socket
  }
  const front = await open()
  const backs = new Map<number, Promise<Socket>>()
  const backFor = async ({ port }: RemoteInfo): Promise<Socket> => {
    const back = await open()
    back.on('message', (bytes) => pass(() => front.send(bytes, port, '127.0.0.1')))
    return back
  }
  front.on('message', (bytes, from) => {
    const back = backs.get(from.port) ?? backFor(from)
    backs.set(from.port, back)
    pass(() => void back.then((socket) => socket.send(bytes, to, '127.0.0.1')))
  })
  return {
    port: front.address().port,
    counts,
    close() {
      clearTimeout(timer)
      front.close()
      for (const back of backs.values()) void back.then((socket) => socket.close())
    },
  }
}
