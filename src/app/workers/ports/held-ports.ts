import { type Address, formatAddress } from '../../../core/address.ts'
import type { Listener, Listening } from '../../../core/dialer.ts'
import { ProxyError } from '../../../core/errors.ts'
import type { BoundSocket } from '../../../net/tcp.ts'
import { Duplicates } from './duplicates.ts'
import { bindRaw, type RawSocket } from './raw.ts'

interface Held {
  readonly socket: RawSocket
  readonly address: Address
  readonly ipv6Only: boolean
  /** Descriptors that no thread has yet. */
  readonly spare: RawSocket[]
  users: number
  closed: boolean
  /** Called when it is closed. */
  readonly onClosed: (() => void)[]
}

/**
 * The addresses that workers listen on. The main thread binds them and accepts nobody; each worker gets a descriptor of its
 * own. What waits in the kernel is lost with none of them. An address that is given up is closed once the workers have been
 * told: whoever asks for it before gets it as it is, so that nobody is refused while settings change.
 */
export class HeldPorts {
  readonly #duplicates = new Duplicates()
  readonly #bound: () => void
  readonly #held = new Map<string, Held>()
  readonly #binding = new Set<Promise<void>>()
  /** What listens, or fails to, once an address is closed. */
  readonly #following: Promise<unknown>[] = []
  /** A thread has these descriptors: as objects of this one they must never be closed. */
  readonly #given: RawSocket[] = []

  /** @param bound told of an address that workers can listen on from now on */
  constructor(bound: () => void) {
    this.#bound = bound
  }

  /** What listens in the main thread: it accepts nobody. */
  listener(ipv6Only: boolean): Listener {
    return {
      listen: (at) => {
        // Who had the address in this thread may take a moment to leave.
        const listening = new Promise(setImmediate)
          .then(() => this.#listen(at, ipv6Only))
          .catch((error: Error) => Promise.reject(this.#inTheWay(at, error)))
        const settled = listening.then(
          () => {},
          () => {},
        )
        this.#binding.add(settled)
        void settled.then(() => this.#binding.delete(settled))
        return listening
      },
    }
  }

  /** Whether workers can listen there. */
  holds(at: Address): boolean {
    return (this.#held.get(formatAddress(at))?.users ?? 0) > 0
  }

  /** What listens in this thread alone: it waits for an address that workers are about to leave. */
  after(base: Listener): Listener {
    return {
      listen: (at, accept, options) => {
        const held = this.#held.get(formatAddress(at))
        if (!held) return base.listen(at, accept, options)
        const listening = left(held).then(() => base.listen(at, accept, options))
        this.#following.push(listening.catch(() => {}))
        return listening
      },
    }
  }

  /** A descriptor for one more thread. Rejects with LISTEN_FAILED. */
  async lend(at: Address): Promise<BoundSocket> {
    const held = this.#held.get(formatAddress(at))
    if (!held) throw new ProxyError('LISTEN_FAILED', `nothing is bound to ${formatAddress(at)}`)
    const socket = held.spare.pop() ?? (await this.#duplicates.of(held.socket))
    this.#given.push(socket)
    return { fd: socket.fd, address: held.address }
  }

  /** Has descriptors ready for as many threads, of everything that is bound or about to be. */
  async prepare(threads: number): Promise<void> {
    await Promise.all(this.#binding)
    await Promise.all(
      [...this.#held.values()].map(async (held) => {
        const missing = Math.max(0, threads - held.spare.length)
        const more = Array.from({ length: missing }, () => this.#duplicates.of(held.socket))
        const sockets = await Promise.all(more)
        if (held.closed) for (const socket of sockets) socket.close()
        else held.spare.push(...sockets)
      }),
    )
  }

  /** Closes what nobody uses any more. Resolves when whoever waited for that listens. */
  async settle(): Promise<void> {
    this.#closeUnused()
    await Promise.all(this.#following.splice(0))
  }

  /** Why it is not bound: workers leave an address only when the new settings hold, and those want one that overlaps with it. */
  #inTheWay(at: Address, cause: Error): Error {
    const other = [...this.#held.values()].find(({ address }) => address.port === at.port)
    if (!other || formatAddress(other.address) === formatAddress(at)) return cause
    const message = `cannot listen on ${formatAddress(at)}: workers listen on ${formatAddress(other.address)}`
    const hint = 'reload without this inbound first and then with it, choose another port, or start the program again'
    return new ProxyError('LISTEN_FAILED', message, { hint, cause })
  }

  #closeUnused(): void {
    for (const [key, held] of this.#held) {
      if (held.users > 0) continue
      this.#held.delete(key)
      held.closed = true
      for (const socket of [held.socket, ...held.spare.splice(0)]) socket.close()
      for (const run of held.onClosed) run()
    }
  }

  close(): void {
    for (const held of this.#held.values()) held.users = 0
    this.#closeUnused()
    this.#duplicates.close()
  }

  #listen(at: Address, ipv6Only: boolean): Listening {
    const held = this.#take(at, ipv6Only)
    held.users++
    let open = true
    return {
      address: held.address,
      close: async () => {
        if (open) held.users--
        open = false
      },
    }
  }

  #take(at: Address, ipv6Only: boolean): Held {
    const there = this.#held.get(formatAddress(at))
    if (there && there.users === 0 && there.ipv6Only === ipv6Only) return there
    const { socket, address } = bindRaw(at, ipv6Only)
    const held: Held = { socket, address, ipv6Only, spare: [], users: 0, closed: false, onClosed: [] }
    this.#held.set(formatAddress(address), held)
    this.#bound()
    return held
  }
}

/** Resolves when it is closed, or at once where it is not about to be. */
async function left(held: Held): Promise<void> {
  // Whoever shares it with others may take a moment to leave.
  await new Promise(setImmediate)
  if (held.users === 0 && !held.closed) await new Promise<void>((resolve) => held.onClosed.push(resolve))
}
