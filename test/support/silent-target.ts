import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A loopback port where the kernel drops whoever wants to connect: a stopped process with a full queue. */
export class SilentTarget {
  readonly port: number
  readonly #child: ChildProcess
  readonly #fillers: readonly Socket[]

  private constructor(port: number, child: ChildProcess, fillers: readonly Socket[]) {
    this.port = port
    this.#child = child
    this.#fillers = fillers
  }

  static async start(): Promise<SilentTarget> {
    const listen = "{ port: 0, host: '127.0.0.1', backlog: 1 }"
    const script = `const s = require('net').createServer().listen(${listen}, () => console.log(s.address().port))`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(child.stdout!, 'data')) as [Buffer]
    child.kill('SIGSTOP')
    const port = Number(line)
    const fillers = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}))
    await sleep(100)
    return new SilentTarget(port, child, fillers)
  }

  close(): void {
    for (const socket of this.#fillers) socket.destroy()
    this.#child.kill('SIGKILL')
  }
}
