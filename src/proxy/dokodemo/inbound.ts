import { parseAddress } from '../../core/address.ts'
import type { Inbound } from '../../core/inbound.ts'
import type { DokodemoInboundSettings } from '../../settings/model.ts'

/** Takes every connection to one fixed target; speaks nothing itself, so a failure only shows as the end. */
export function createDokodemoInbound(settings: DokodemoInboundSettings): Inbound {
  const { target, level } = settings

  return {
    async serve(near, io) {
      const port = target.port || (parseAddress(near.info.local)?.port ?? 0)
      await io.carry(near, { network: 'tcp', target: { ...target, port }, user: { email: '', level } })
    },
  }
}
