import { forever, lifetimeOf } from '../core/lifetime.ts'
import type { PacketConn } from '../core/packet.ts'
import { DatagramSocket } from '../net/datagram-socket.ts'
import { outboundOf, type ServerSettings } from './connect.ts'

export interface PacketOptions {
  /** Ends the socket when it is aborted. */
  readonly signal?: AbortSignal
}

/**
 * A client socket for datagrams through a VMess server: they go to many addresses, and come with the address of whoever has
 * sent them, as far as the encoding carries it (`packetEncoding` of the server's settings; what the server knows is found
 * out). Connections to the server are opened when datagrams need them. End it with destroy().
 *
 * @throws ProxyError: LINK_INVALID or CONFIG_INVALID for the settings
 * @example
 * const packets = await openPackets('vmess://…')
 * packets.drainTo((bytes, from) => console.log(from.host, from.port, bytes.length)).catch(console.error)
 * packets.send(question, { host: '192.0.2.53', port: 53 })
 */
export async function openPackets(server: ServerSettings, { signal }: PacketOptions = {}): Promise<PacketConn> {
  const outbound = outboundOf(server)
  const conn = await outbound.packets!.open({ until: signal ? lifetimeOf(signal) : forever })
  const cancel = signal && lifetimeOf(signal).onGone((why) => conn.destroy(why))
  conn.onGone(() => {
    cancel?.()
    void outbound.close()
  })
  return conn
}

/** The same for programs that expect a socket of node:dgram. Errors of the settings come as its `error` event. */
export const packetSocket = (server: ServerSettings, options: PacketOptions = {}): DatagramSocket =>
  new DatagramSocket(openPackets(server, options))
