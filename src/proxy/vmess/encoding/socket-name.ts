import type { PacketConn } from '../../../core/datagrams/packet.ts'
import type { Random } from '../../../core/env.ts'
import { globalIdLength } from '../../../protocol/mux/model.ts'

/**
 * The GlobalID of one client socket: nobody can guess it, and no other socket has it. One session at a time may use it,
 * because a server takes another one with the same for its continuation.
 */
export class SocketName {
  readonly #id: Uint8Array
  #used = false

  constructor(random: Random) {
    this.#id = random.fill(new Uint8Array(globalIdLength))
  }

  /** Opens a session, with the id where no other one has it. */
  async lend(open: (globalId: Uint8Array | undefined) => Promise<PacketConn>): Promise<PacketConn> {
    if (this.#used) return open(undefined)
    this.#used = true
    const free = (): void => {
      this.#used = false
    }
    try {
      const conn = await open(this.#id)
      conn.onGone(free)
      return conn
    } catch (error) {
      free()
      throw error
    }
  }
}
