import { type Address, formatAddress, formatHost, parseHost } from '../../core/address.ts'
import type { Dialer, DialOptions } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Ground } from '../../core/ground.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { takeBuffer } from '../../core/streams/pool.ts'
import { TimerWheel } from '../../core/time/timer-wheel.ts'
import { KcpSession } from '../../protocol/kcp/session.ts'
import type { KcpConfig } from '../../settings/kcp.ts'
import { KcpConn } from './conn.ts'
import { ServerForms } from './forms.ts'

/**
 * Opens connections of mKCP, each on a UDP socket of its own. There is no handshake: a dial succeeds when there is a
 * socket, and a server that is not there shows as silence.
 */
export const kcpDialer = (ground: Ground, config: KcpConfig, env: Env): Dialer => new KcpDialer(ground, config, env)

class KcpDialer implements Dialer {
  readonly #ground: Ground
  readonly #env: Env
  readonly #forms: ServerForms
  readonly #wheel: TimerWheel
  #conv: number

  constructor(ground: Ground, config: KcpConfig, env: Env) {
    const { clock, random } = env
    this.#ground = ground
    this.#env = env
    this.#forms = new ServerForms(config, random)
    this.#wheel = new TimerWheel(clock.elapsed, clock.after, limits.kcpTimerMs)
    this.#conv = random.below(0x1_0000)
  }

  async dial(to: Address, { until, session }: DialOptions): Promise<KcpConn> {
    if (to.path !== undefined) throw new ProxyError('DIAL_FAILED', 'mKCP does not go through a unix socket')
    if (until.gone) throw until.gone
    const server = { host: await this.#addressOf(to.host, until), port: to.port }
    const socket = await this.#ground.udp.open({ until, first: server, ...(session && { session }) })
    const { clock } = this.#env
    const conv = (this.#conv + 1) & 0xffff
    this.#conv = conv
    const form = this.#forms.of(formatAddress(server), conv)
    const conn: KcpConn = new KcpConn({
      session: new KcpSession({
        conv,
        sizes: this.#forms.sizes,
        nowMs: clock.elapsed(),
        take: takeBuffer,
        emit: (segment) => form.wrap(segment, (datagram) => void socket.send(datagram, server)),
      }),
      clock,
      wheel: this.#wheel,
      info: { remote: formatAddress(server), local: socket.info.local, layers: ['udp', 'kcp'], halfClose: 'none' },
      over: () => {
        form.over()
        socket.destroy()
      },
    })
    socket
      .drainTo((lent, { host, port }) => {
        if (port !== server.port || host !== server.host) return
        const segments = form.open(lent)
        if (segments) conn.receive(segments)
      })
      .catch((error) => conn.drop(error))
    return conn
  }

  /** As the system writes addresses. Of a name an IPv4 address first, as V2Ray does: nothing would show that IPv6 is not there. */
  async #addressOf(host: string, until: Lifetime): Promise<string> {
    const parsed = parseHost(host)
    if (parsed.kind !== 'domain') return formatHost(parsed)
    const found = await this.#ground.resolve(host, 0, until)
    if (until.gone) throw until.gone
    const address = found.find((one) => !one.includes(':')) ?? found[0]
    if (address === undefined) throw new ProxyError('DNS_FAILED', `${host} has no address`)
    return address
  }
}
