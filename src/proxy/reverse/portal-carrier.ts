import type { Conn } from '../../core/conn.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import type { Cancel, Env } from '../../core/env.ts'
import { Life } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import {
  type ControlState,
  controlHosts,
  controlPort,
  encodeControl,
  fillerMax,
} from '../../protocol/reverse/control.ts'
import { openPackets, Worker } from '../mux/worker.ts'

/** One carrier that a bridge has opened, at its portal: streams go down it. */
export class PortalCarrier {
  readonly worker: Worker
  readonly #env: Env
  readonly #life = new Life()
  #control: PacketConn | undefined
  #host = ''
  #cancel: Cancel = () => {}
  /** Only for want of others does it get more. */
  #draining = false

  /** @param ended called once, when it takes nothing any more */
  constructor(base: Conn, env: Env, ended: (carrier: PortalCarrier) => void) {
    this.#env = env
    this.worker = new Worker({
      env,
      concurrency: limits.muxSubstreamsOpen,
      everAtMost: limits.reverseStreamsEver,
      dial: Promise.resolve(base),
      abort: (why) => base.destroy(why),
      retired: () => {
        this.#cancel()
        ended(this)
      },
      stalled: () => {},
    })
    void this.#open(controlHosts)
  }

  get draining(): boolean {
    return this.#draining
  }

  /** Takes nothing new, and ends with the last of what it carries. */
  retire(): void {
    this.#drain()
    this.worker.retire()
  }

  /**
   * Bridges know the session by a name of their own family, and lead any other to whoever has that name, which is nobody: where
   * one ends it, the next name is tried. A bridge that knows none is not told when to open another carrier.
   */
  async #open([host, ...others]: readonly string[]): Promise<void> {
    if (host === undefined || this.#draining || this.worker.full) return
    try {
      this.#host = host
      this.#control = openPackets(await this.worker.take(this.#life), { addressed: false })
    } catch {
      return // gone before it was used
    }
    if (this.#draining) return this.#control.destroy()
    this.#beat()
    await this.#control.drainTo(() => {}).catch(() => {})
    this.#cancel()
    this.#control.destroy()
    await this.#open(others)
  }

  #beat(): void {
    if (this.worker.ever > limits.reverseStreamsBeforeDrain) this.#drain()
    else {
      this.#cancel = this.#env.clock.after(limits.reverseTickMs, () => this.#beat())
      this.#say('active')
    }
  }

  #drain(): void {
    if (this.#draining) return
    this.#draining = true
    this.#cancel()
    this.#say('drain')
    const control = this.#control
    // Only once it is on its way: what is not written yet would be lost.
    Promise.resolve(control?.closeWrite()).then(
      () => control?.destroy(),
      () => control?.destroy(),
    )
  }

  #say(state: ControlState): void {
    const { random } = this.#env
    const filler = random.fill(new Uint8Array(1 + random.below(fillerMax)))
    this.#control?.send(encodeControl(state, filler), { host: this.#host, port: controlPort })
  }
}
