/**
 * How datagrams travel to a VMess server, by `packetEncoding`:
 *
 * none    a way of its own for every target
 * packet  packetaddr: one way, for IP addresses
 * xudp    one session, whatever the server is
 * auto    what is right for the server, which is found out (xudp-servers.ts): the first target of a client socket is reached
 *         by XUDP. Once the server has shown that it knows it, all targets share one session; until then each has its own.
 *         Ports 53 and 443 have ways of their own, which cost their servers least.
 */

import type { Address } from '../../../core/address.ts'
import type { PacketConn, PacketDialer } from '../../../core/datagrams/packet.ts'
import { PacketLayer } from '../../../core/datagrams/packet-layer.ts'
import type { Sharing } from '../../../core/datagrams/packet-link.ts'
import { PacketLinks } from '../../../core/datagrams/packet-links.ts'
import type { Env } from '../../../core/env.ts'
import type { Lifetime } from '../../../core/lifetime.ts'
import type { Session } from '../../../core/session.ts'
import { sequencedTarget } from '../../../protocol/packetaddr/unit.ts'
import type { MuxSettings, PacketEncoding } from '../../../settings/model.ts'
import type { PacketWays } from './packet-ways.ts'
import { PacketaddrPackets } from './packetaddr.ts'
import { SocketName } from './socket-name.ts'
import { TrialPackets } from './trial-packets.ts'
import { XudpServers } from './xudp-servers.ts'

export interface EncodingOptions {
  readonly env: Env
  /** Default `auto`. */
  readonly packetEncoding?: PacketEncoding | undefined
  readonly mux?: Pick<MuxSettings, 'udp443'> | undefined
  /** Sessions for many targets are off for the whole process, unless packetaddr was asked for. */
  readonly coneDisabled?: boolean | undefined
}

export interface PacketDialerOptions extends EncodingOptions {
  /** Connections of their own. */
  readonly ways: PacketWays
  /** Sessions within carriers, where they are to be used. */
  readonly pooled: PacketWays | undefined
}

/** What opens the ways of one client socket, and what they have in common. */
interface Encoding {
  open(target: Address, until: Lifetime): Promise<PacketConn>
  readonly sharing?: Sharing
}

/** Opens client sockets. Where the first target is known its way is there when open() resolves. */
export function packetDialer(options: PacketDialerOptions): PacketDialer {
  const { env, ways, pooled = ways, mux, packetEncoding = 'auto', coneDisabled } = options
  const servers = new XudpServers()
  const encoding = coneDisabled && packetEncoding !== 'packet' ? 'none' : packetEncoding
  const rejected = (to: Address) => mux?.udp443 === 'reject' && to.port === 443
  const skipped = (to: Address) => mux?.udp443 === 'skip' && to.port === 443
  return {
    async open({ until, session, first }) {
      if (until.gone) throw until.gone
      const { open, sharing } = passing(encodingOf(session), session)
      const ready = first && !rejected(first) ? { target: first, conn: await open(first, until) } : undefined
      const links = new PacketLinks({ clock: env.clock, open, ...(sharing && { sharing }) }, ready)
      return mux?.udp443 === 'reject' ? new WithoutPort443(links) : links
    },
  }

  /** What is to pass by the carriers goes straight. */
  function passing({ open, sharing }: Encoding, session: Session | undefined): Encoding {
    return {
      open: (target, until) => (skipped(target) ? ways.single(target, { until, session }) : open(target, until)),
      ...(sharing && { sharing: { ...sharing, apart: (to) => skipped(to) || sharing.apart(to) } }),
    }
  }

  function encodingOf(session: Session | undefined): Encoding {
    const single = (target: Address, until: Lifetime) => pooled.single(target, { until, session })
    if (encoding === 'none') return { open: single }
    if (encoding === 'packet') {
      const open = async (_target: Address, until: Lifetime) =>
        new PacketaddrPackets(await single(sequencedTarget, until))
      return { open, sharing: { ...allTogether, resumes: () => false } }
    }
    const name = new SocketName(env.random)
    if (encoding === 'xudp') {
      const open = (target: Address, until: Lifetime) =>
        name.lend((globalId) => pooled.addressed(target, { until, session, ...(globalId && { globalId }) }))
      return { open, sharing: allTogether }
    }
    const alone = ({ port }: Address) => port === 53 || port === 443
    const known = (conn: PacketConn) => servers.carryAll(conn)
    return {
      open: (target, until) => (alone(target) ? single(target, until) : found(target, until, session, name)),
      sharing: { apart: alone, everywhere: known, resumes: known, expected: () => servers.expected },
    }
  }

  /** Opens XUDP, notes what the server makes of it, and goes the other way where it makes nothing. */
  async function found(
    target: Address,
    until: Lifetime,
    session: Session | undefined,
    name: SocketName,
  ): Promise<PacketConn> {
    let conn: PacketConn | undefined
    let trial: TrialPackets | undefined
    conn = await name.lend((globalId) =>
      pooled.addressed(target, {
        until,
        session,
        ...(globalId && { globalId }),
        spoke: () => trial?.spoke(),
        answered: (sourced) => servers.learn(conn!.info.remote, sourced ? 'sources' : 'bare'),
        refused: (remote) => servers.of(remote) === 'refuses',
      }),
    )
    const { remote, encoding } = conn.info
    if (!pooled.onTrial || encoding !== 'xudp' || servers.of(remote) !== undefined) return conn
    trial = new TrialPackets(conn, {
      clock: env.clock,
      instead: (until) => pooled.single(target, { until, session }),
      refused: () => servers.of(remote) === undefined && servers.learn(remote, 'refuses'),
    })
    return trial
  }
}

const allTogether: Sharing = {
  apart: () => false,
  everywhere: () => true,
  resumes: () => true,
  expected: () => true,
}

/** Xray's way to have browsers fall back from QUIC to TCP. */
class WithoutPort443 extends PacketLayer {
  override send(bytes: Uint8Array, to: Address): boolean {
    return to.port === 443 ? this.drop() : super.send(bytes, to)
  }
}
