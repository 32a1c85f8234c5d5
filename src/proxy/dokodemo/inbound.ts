import { type Address, parseAddress } from '../../core/address.ts'
import type { Inbound } from '../../core/inbound.ts'
import type { DokodemoInboundSettings } from '../../settings/model.ts'
import { FixedPackets } from './fixed-packets.ts'

/** Takes every connection, and every client's datagrams, to one fixed target; speaks nothing itself, so a failure only shows as the end. */
export function createDokodemoInbound(settings: DokodemoInboundSettings): Inbound {
  const { target, networks, level, idleMs } = settings
  const asked = { user: { email: '', level }, ...(idleMs !== undefined && { idleMs }) }

  return {
    networks,
    async serve(near, io) {
      await io.carry(near, { network: 'tcp', target: targetAt(near.info), ...asked })
    },
    async servePackets(client, io) {
      const target = targetAt(client.info)
      await io.carryPackets(new FixedPackets(client, target), { network: 'udp', target, ...asked })
    },
  }

  function targetAt(info: { readonly local: string }): Address {
    return target.port > 0 ? target : { ...target, port: parseAddress(info.local)?.port ?? 0 }
  }
}
