import type { Random } from '../../core/env.ts'
import { disguise } from '../../protocol/kcp/headers.ts'
import { type Mask, Masks, sharedPacket } from '../../protocol/kcp/mask.ts'
import { gcmSeal, plainSeal } from '../../protocol/kcp/seals.ts'
import { type KcpSizes, kcpSizes } from '../../protocol/kcp/sizes.ts'
import type { KcpConfig, KcpMask } from '../../settings/kcp.ts'

/** How segments of these settings become datagrams: masks for each socket, because some of them count. */
export interface Wrapping {
  readonly sizes: KcpSizes
  masks(): Masks
}

export function wrappingOf(config: KcpConfig, random: Random): Wrapping {
  const packet = sharedPacket()
  // Keys are made once; what counts is made anew.
  const seals = new Map(config.masks.map((mask) => [mask, sealOf(mask, random)]))
  const masks = (): Masks =>
    new Masks(
      config.masks.map((mask) => seals.get(mask) ?? headerOf(mask, random)),
      packet,
    )
  return { masks, sizes: kcpSizes(numbersOf(config), masks().overhead) }
}

/** The settings for each look that datagrams may have, the usual one first. */
export const formsOf = ({ orBare, ...config }: KcpConfig): readonly KcpConfig[] =>
  orBare ? [config, { ...config, masks: [] }] : [config]

const numbersOf = ({ mtu, ttiMs, congestion, readBuffer, writeBuffer, ...capacities }: KcpConfig) => ({
  ...{ mtu, ttiMs, congestion, readBuffer, writeBuffer },
  sendCapacity: capacities.uplinkCapacity,
  receiveCapacity: capacities.downlinkCapacity,
})

function sealOf(mask: KcpMask, random: Random): Mask | undefined {
  if (mask.type === 'plain') return plainSeal
  return mask.type === 'gcm' ? gcmSeal(mask.seed, random) : undefined
}

function headerOf(mask: KcpMask, random: Random): Mask {
  if (mask.type === 'plain' || mask.type === 'gcm') throw new Error('a seal is no header')
  return mask.type === 'dns' ? disguise(mask.type, random, mask.domain) : disguise(mask.type, random)
}
