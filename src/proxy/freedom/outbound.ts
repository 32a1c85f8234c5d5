import { type Address, parseAddress, parseHost } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { PacketDialer } from '../../core/datagrams/packet.ts'
import type { Dialer, DialOptions, Outbound } from '../../core/dialer.ts'
import { addressesBy } from '../../core/domain-strategy.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Resolve } from '../../core/ground.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import { type NameService, resolveWith } from '../../core/name-service.ts'
import { proxyHeader } from '../../protocol/proxyprotocol/writer.ts'
import type { FreedomSettings, NoiseSettings } from '../../settings/model.ts'
import { FragmentedConn } from './fragmented-conn.ts'
import { NoisyPackets } from './noisy-packets.ts'
import { freedomPackets } from './packets.ts'

export interface FreedomDeps {
  readonly dialer: Dialer
  readonly udp: PacketDialer
  readonly resolve: Resolve
  /** Names as the configuration has them: what a strategy asks. */
  readonly names: NameService
  readonly env: Env
}

/**
 * Goes straight to the target.
 *
 * One attempt per dial, where V2Ray makes five within a second: the inbound can answer a failure with its reason at
 * once, and clients know better than we do whether to try again.
 */
export function createFreedom(tag: string, settings: FreedomSettings, deps: FreedomDeps): Outbound {
  const { dialer, resolve, names, env } = deps
  const { redirect, domainStrategy, proxyProtocol, fragment, noises } = settings
  /** Something is done to its connections before they are handed on. */
  const shaped = proxyProtocol !== undefined || fragment !== undefined

  async function addressFor(host: string, until: Lifetime): Promise<string> {
    const found = await addressesBy(domainStrategy, host, resolveWith(names), until)
    return found.length > 0 ? found[env.random.below(found.length)]! : host
  }

  /** For datagrams nobody looks a name up later on. IPv4 first, as V2Ray does: it is the way that is there more often. */
  async function ipFor(name: string, until: Lifetime): Promise<string> {
    const host = await addressFor(name, until)
    if (host !== name) return host
    const found = await resolve(name, 0, until)
    const address = found.find((one) => !one.includes(':')) ?? found[0]
    if (address === undefined) throw new ProxyError('DNS_FAILED', `${name} has no address`)
    return address
  }

  return {
    tag,
    level: settings.level,
    packets: freedomPackets({
      udp: noises ? noisy(deps.udp, noises, env) : deps.udp,
      addressOf: ipFor,
      asIs: domainStrategy === 'AsIs',
      redirect,
    }),
    dial(to, options) {
      const target = redirected(to, redirect)
      const named = target.path === undefined && parseHost(target.host).kind === 'domain'
      return named || shaped ? dialShaped(target, named, options) : dialer.dial(target, options)
    },
    async close() {},
  }

  async function dialShaped(target: Address, named: boolean, options: DialOptions): Promise<Conn> {
    const at = named ? { ...target, host: await addressFor(target.host, options.until) } : target
    const conn = await dialer.dial(at, options)
    if (proxyProtocol) announce(proxyProtocol, conn, at, options.session?.source)
    return fragment ? new FragmentedConn(conn, fragment, env) : conn
  }
}

const noisy = (udp: PacketDialer, noises: readonly NoiseSettings[], env: Env): PacketDialer => ({
  ...udp,
  open: async (options) => new NoisyPackets(await udp.open(options), noises, env),
})

const redirected = (to: Address, redirect: Address | undefined): Address =>
  redirect ? { ...to, host: redirect.host || to.host, port: redirect.port || to.port } : to

/** Tells the target who the client is, with the bytes that come first. */
function announce(version: 1 | 2, conn: Conn, to: Address, source: string | undefined): void {
  const destination = parseAddress(conn.info.remote) ?? to
  const header = proxyHeader(version, source === undefined ? undefined : parseAddress(source), destination)
  conn.write(header)?.catch(() => {}) // a broken connection shows where it is read
}
