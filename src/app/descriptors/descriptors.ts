import { type Conn, type ConnInfo, rootInfo } from '../../core/conn.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Ground } from '../../core/ground.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { onceEvery } from '../../core/time/once-every.ts'
import { openFilesLimit } from './open-files.ts'
import { Room } from './room.ts'
import { type Stranger, Strangers } from './strangers.ts'
import { WaitingDials } from './waiting-dials.ts'

export interface DescriptorsDeps {
  readonly env: Env
  /** Strangers that one address may have, the oldest of which goes for one more; 0: as many as there is room for. */
  readonly perAddress: () => number
  /** Ends the session of datagrams that is quiet for longest; false when there is none. */
  readonly evictIdle?: () => boolean
  /** Descriptors that the process may have; what the system says unless given. */
  readonly limit?: number
  /** Descriptors that this thread may have, numbered with those of others; undefined: there are no others. */
  readonly ofThread?: number | undefined
}

/** A stack of its own would be built for every one of thousands. */
const evicted = new ProxyError('STRANGER_EVICTED', 'closed in its handshake to make room for newer connections')

/**
 * Who may have a descriptor. Node can neither stop accepting nor leave clients waiting in the kernel (it would close the
 * listener, or accept and drop them), so every client gets a socket and room is made for it: the oldest stranger goes,
 * a connection that has yet to show who it is; nobody else ever does. Where all are known, dials wait for a descriptor.
 */
export class Descriptors {
  readonly #env: Env
  readonly #perAddress: () => number
  readonly #evictIdle: () => boolean
  readonly #room: Room
  readonly #ofThread: boolean
  readonly #strangers = new Strangers()
  readonly #waiting: WaitingDials
  readonly #due: (key: string) => boolean
  /** Since the start, for the log. */
  #evicted = 0
  #refused = 0

  constructor(deps: DescriptorsDeps) {
    const { env, perAddress, evictIdle = () => false, ofThread, limit = ofThread ?? openFilesLimit() } = deps
    this.#ofThread = ofThread !== undefined
    this.#evictIdle = evictIdle
    this.#env = env
    this.#perAddress = perAddress
    this.#room = new Room(limit)
    this.#waiting = new WaitingDials(env.clock, () => this.#take())
    this.#due = onceEvery(env.clock, limits.fdWarningMs)
  }

  /** Connections that have not shown who they are. */
  get strangers(): number {
    return this.#strangers.size
  }

  /** A connection was accepted on the descriptor `fd`. False: there is no room even for it, and it is closed; `refused` is told. */
  accepted(conn: Conn, descriptor: number, refused: (source: string, error: ProxyError) => void): boolean {
    const fd = this.#ofThread ? -1 : descriptor
    this.#room.enter(fd)
    this.#waiting.newcomer()
    const stranger = this.#strangers.add(conn)
    conn.onGone(() => this.#left(stranger))
    const most = this.#perAddress()
    const tooMany = most > 0 ? this.#strangers.tooMany(stranger, most) : undefined
    if (tooMany) this.#evict(tooMany)
    if (!this.#room.overfull(fd)) return true
    const { oldest } = this.#strangers
    if (oldest && oldest !== stranger) this.#makeRoom(oldest)
    else if (!this.#evictIdle()) refused(conn.info.remote, this.#refuse(conn))
    return !conn.gone
  }

  /** The connection that this runs on has shown who it is. */
  admit(info: { readonly carrier?: ConnInfo }): void {
    const root = rootInfo(info as ConnInfo)
    root.admitted?.()
    const stranger = this.#strangers.find(root)
    if (stranger) this.#strangers.remove(stranger)
  }

  /** The stranger on this connection came by a proxy, from `address`; bounds of one address hold for that. */
  clientIs(info: ConnInfo, address: string): void {
    const stranger = this.#strangers.find(rootInfo(info))
    if (!stranger) return
    this.#strangers.move(stranger, address)
    const most = this.#perAddress()
    const tooMany = most > 0 ? this.#strangers.tooMany(stranger, most) : undefined
    if (tooMany) this.#evict(tooMany)
  }

  /** A way to the world on which sockets wait for a descriptor where there is none. */
  watch(ground: Ground): Ground {
    const { tcp, udp } = ground
    return {
      ...ground,
      tcp: { dial: (to, options) => this.#opened(options.until, () => tcp.dial(to, options)) },
      udp: { open: (options) => this.#opened(options.until, () => udp.open(options)) },
    }
  }

  #opened<T extends Lifetime>(until: Lifetime, open: () => Promise<T>): Promise<T> {
    if (this.#waiting.size === 0 && this.#room.easy(this.#strangers.size) && this.#take()) return this.#holding(open())
    this.#warn('dials wait for one')
    return this.#waiting.wait(until).then(() => this.#holding(open()))
  }

  /** A descriptor was taken for what is being opened. */
  #holding<T extends Lifetime>(opening: Promise<T>): Promise<T> {
    return opening.then(
      (opened) => {
        opened.onGone(this.#closed)
        return opened
      },
      (error: unknown) => {
        this.#closed()
        throw error
      },
    )
  }

  readonly #closed = (): void => {
    this.#room.dialled--
    this.#waiting.serve()
  }

  #left(stranger: Stranger): void {
    this.#strangers.remove(stranger)
    this.#room.accepted--
    this.#waiting.serve()
  }

  /** Takes a descriptor for a dial. */
  #take(): boolean {
    if (!this.#room.mayDial(this.#strangers.size)) return false
    if (this.#room.full) {
      const { oldest } = this.#strangers
      if (oldest) this.#makeRoom(oldest)
      else if (!this.#evictIdle()) return false
    }
    this.#room.dialled++
    return true
  }

  #makeRoom(oldest: Stranger): void {
    this.#warn('the oldest connections in their handshake are closed for new ones')
    this.#evict(oldest)
  }

  #evict({ conn }: Stranger): void {
    this.#evicted++
    conn.destroy(evicted)
  }

  #refuse(conn: Conn): ProxyError {
    this.#refused++
    this.#warn('new connections are closed, because all are in use', 'error')
    const error = new ProxyError('FD_EXHAUSTED', 'closed at once: no file descriptor is left for it')
    conn.destroy(error)
    return error
  }

  #warn(what: string, level: 'warn' | 'error' = 'warn'): void {
    if (!this.#due(what)) return
    const { limit, accepted, dialled } = this.#room
    const strangers = this.#strangers.size
    const counts = { accepted, strangers, dialled, waiting: this.#waiting.size, evicted: this.#evicted }
    const text = `file descriptors are running out (limit ${limit}): ${what}; raise the limit with "ulimit -n" or LimitNOFILE=`
    this.#env.log[level]({ ...counts, refused: this.#refused }, text)
  }
}
