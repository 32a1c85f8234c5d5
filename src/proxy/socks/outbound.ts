/** The client of a SOCKS proxy: streams by CONNECT, datagrams by UDP ASSOCIATE where it is SOCKS5. */

import { type Address, parseAddress, parseHost } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import { rootInfo } from '../../core/conn.ts'
import type { PacketDialer, PacketDialOptions } from '../../core/datagrams/packet.ts'
import type { Dialer, Outbound } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Resolve } from '../../core/ground.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import { type SocksAsk, SocksClientHandshake } from '../../protocol/socks/client.ts'
import type { SocksOutboundSettings, UpstreamUser } from '../../settings/model.ts'
import { type Talk, Upstream } from '../upstream/agree.ts'
import { AssociatedPackets } from './associated-packets.ts'

export interface SocksOutboundDeps {
  /** Reaches the proxies: the transport stack. */
  readonly dialer: Dialer
  readonly udp: PacketDialer
  readonly resolve: Resolve
  readonly env: Env
}

export function createSocksOutbound(tag: string, settings: SocksOutboundSettings, deps: SocksOutboundDeps): Outbound {
  const upstream = new Upstream(settings.servers, { kind: 'socks', name: 'SOCKS', ...deps })
  const version = settings.version === '5' ? 5 : 4
  const anywhere: Address = { host: '0.0.0.0', port: 0 }

  const talk =
    (command: SocksAsk['command'], target: Address) =>
    (login: UpstreamUser | undefined): Talk<Address> =>
      talkOf({ version, command, target, login, delayAuth: settings.delayAuth })

  async function openPackets({ first, ...options }: PacketDialOptions): Promise<AssociatedPackets> {
    const { conn, answer, proxy, user } = await upstream.open(options, talk('associate', anywhere))
    try {
      const relay = { host: await relayHost(answer.host, proxy.address, conn, options.until), port: answer.port }
      const udp = await deps.udp.open({ ...options, first: relay })
      return new AssociatedPackets(udp, { control: conn, relay, level: user?.level })
    } catch (error) {
      conn.destroy()
      throw error
    }
  }

  /** Many proxies do not know their address and say 0.0.0.0: it is where they have been reached. */
  async function relayHost(told: string, proxy: Address, control: Conn, until: Lifetime): Promise<string> {
    const named = parseHost(told)
    if (named.kind !== 'domain' && named.bytes.some((byte) => byte !== 0)) return told
    const host = named.kind === 'domain' && told !== '' ? told : proxy.host
    if (parseHost(host).kind !== 'domain' || deps.udp.takesNames) return host
    const reached = host === proxy.host ? parseAddress(rootInfo(control.info).remote)?.host : undefined
    if (reached !== undefined) return reached
    const [found] = await deps.resolve(host, 0, until)
    if (found === undefined)
      throw new ProxyError('DNS_FAILED', `${host}, the UDP side of a SOCKS proxy, has no address`)
    return found
  }

  /** SOCKS4 has no names: whoever asks has to find the address. */
  async function forVersion(target: Address, until: Lifetime): Promise<Address> {
    if (settings.version !== '4' || parseHost(target.host).kind !== 'domain') return target
    const [host] = await deps.resolve(target.host, 4, until)
    if (host === undefined)
      throw new ProxyError('DNS_FAILED', `${target.host} has no IPv4 address, and SOCKS4 knows no other`)
    return { host, port: target.port }
  }

  return {
    tag,
    ...(version === 5 && { packets: { open: openPackets } }),
    async dial(to, options) {
      const target = await forVersion(to, options.until)
      return (await upstream.open(options, talk('connect', target))).conn
    },
    async close() {},
  }
}

function talkOf(ask: SocksAsk): Talk<Address> {
  const handshake = new SocksClientHandshake(ask)
  return {
    first: handshake.first,
    push(bytes) {
      const { send, bound, rest } = handshake.push(bytes)
      return { send, ...(bound && { done: { answer: bound, rest: rest! } }) }
    },
  }
}
