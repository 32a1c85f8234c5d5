import type { Conn } from '../../core/conn.ts'
import type { ServerRequest } from '../../protocol/vmess/server-request.ts'
import type { SwitchAccount } from '../../protocol/vmess/switch-account.ts'
import type { VmessUser } from '../../settings/model.ts'
import { VmessPackets } from './packet-conn.ts'

export interface RequestPacketsOptions {
  /** What the answer tells the client besides. */
  readonly switchTo: SwitchAccount | undefined
  /** Told of the first answer that is larger than the client takes. */
  readonly tooLarge: (length: number, largest: number) => void
}

/** The datagrams of a client that asked for command 2: all for its target, and every answer as if it came from there. */
export function requestPackets(
  conn: Conn,
  request: ServerRequest<VmessUser>,
  { switchTo, tooLarge }: RequestPacketsOptions,
): VmessPackets {
  const near: VmessPackets = new VmessPackets(conn, {
    sealer: request.sealer,
    opener: request.packetOpener((datagram) => near.received(datagram)),
    head: request.responseHead(switchTo),
    rest: request.rest,
    target: request.target,
    anySource: true,
    tooLarge,
  })
  return near
}
