/** VMess servers for datagrams without a network: they echo, and note what they were asked for. */

import { type Address, formatAddress } from '../../src/core/address.ts'
import type { Conn } from '../../src/core/conn.ts'
import type { PacketConn } from '../../src/core/datagrams/packet.ts'
import { silentLogger } from '../../src/core/env.ts'
import type { ServerRequest } from '../../src/protocol/vmess/server-request.ts'
import { Associations } from '../../src/proxy/mux/associations.ts'
import { Carrier } from '../../src/proxy/mux/carrier.ts'
import { MuxPacketConn } from '../../src/proxy/mux/packets.ts'
import { serveMux } from '../../src/proxy/mux/server.ts'
import { VmessConn } from '../../src/proxy/vmess/conn.ts'
import { requestPackets } from '../../src/proxy/vmess/request-packets.ts'
import type { VmessUser } from '../../src/settings/model.ts'
import type { TestServer } from './vmess-pair.ts'

/** What a server makes of command 3: XUDP; V2Ray's frames, which name one target for all; or an end. */
export type DatagramManner = 'xudp' | 'bare' | 'ends'

/** One session of datagrams at the server, which has an outgoing socket of its own. */
export interface ServedSession {
  readonly command: 'udp' | 'mux'
  /** What the request named. */
  readonly target: string
  /** Where datagrams went. */
  readonly sent: string[]
  readonly conn: PacketConn
}

export interface DatagramServer {
  manner: DatagramManner
  /** Connections that clients have made, by their command. */
  readonly requests: string[]
  /** Their bases, in this order. */
  readonly bases: Conn[]
  readonly sessions: ServedSession[]
  /** Whether datagrams are answered. */
  answering: boolean
  accept(conn: Conn): void
}

export function datagramServer(server: TestServer, manner: DatagramManner): DatagramServer {
  const env = { clock: server.clock, log: silentLogger }
  const associations = new Associations(server.clock)
  const served: DatagramServer = {
    manner,
    requests: [],
    bases: [],
    sessions: [],
    answering: true,
    accept: (conn) => void accept(conn).catch(() => conn.destroy()),
  }
  return served

  async function accept(conn: Conn): Promise<void> {
    const session = server.accept()
    for (;;) {
      const bytes = await conn.read()
      if (!bytes) return conn.destroy()
      const request = session.push(bytes) as ServerRequest<VmessUser> | undefined
      if (request) return serve(conn, request)
    }
  }

  function serve(conn: Conn, request: ServerRequest<VmessUser>): void {
    served.requests.push(request.command)
    served.bases.push(conn)
    if (request.command === 'udp') {
      const near = requestPackets(conn, request, { switchTo: undefined, tooLarge: () => {} })
      echo('udp', near, request.target)
      return
    }
    const { sealer, opener, rest } = request
    const base = new VmessConn(conn, { sealer, opener, head: request.responseHead(undefined), rest })
    if (served.manner === 'ends') base.destroy()
    else if (served.manner === 'bare') serveBare(base)
    else serveXudp(base)
  }

  function serveXudp(base: Conn): void {
    void serveMux(base, env, {
      stream: (stream) => stream.destroy(),
      packets: (near, target, globalId) => {
        const joined = globalId ? associations.join('user', globalId, near) : near
        if (joined) echo('mux', joined, target)
      },
    })
  }

  /** As V2Ray: all goes to the target of New, and answers do not say where they come from. */
  function serveBare(base: Conn): void {
    const carrier: Carrier = new Carrier(base, server.clock, {
      opened: ({ session, address }) => {
        const near = new MuxPacketConn(carrier, session, { addressed: false, target: address! })
        carrier.attach(session, near)
        echo('mux', near, address!)
        return near
      },
    })
    void carrier.run()
  }

  function echo(command: 'udp' | 'mux', conn: PacketConn, target: Address): void {
    const session: ServedSession = { command, target: formatAddress(target), sent: [], conn }
    served.sessions.push(session)
    conn
      .drainTo((lent, to) => {
        session.sent.push(formatAddress(to))
        if (served.answering) conn.send(lent, to)
      })
      .catch(() => {})
  }
}
