import type { Conn } from '../../core/conn.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import type { Clock } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { Carrier } from './carrier.ts'
import { MuxPacketConn, type MuxPacketOptions } from './packets.ts'

/** The session of an own connection. */
const onlySession = 0

/**
 * XUDP on a connection of its own: one session of datagrams, and the connection ends with it. Takes `base` over.
 * @param options `addressed` and `alone` are what such a connection is
 */
export function xudpOver(
  base: Conn,
  clock: Clock,
  options: Omit<MuxPacketOptions, 'addressed' | 'alone' | 'target'>,
): PacketConn {
  base.readAtMost?.(limits.packetsRead)
  const carrier: Carrier = new Carrier(base, clock, {
    opened: () => undefined,
    detached: () => {
      if (!carrier.gone) carrier.close()
    },
  })
  const conn = new MuxPacketConn(carrier, onlySession, { ...options, addressed: true, alone: true })
  carrier.attach(onlySession, conn)
  carrier.run()
  return conn
}
