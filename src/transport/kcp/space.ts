import { kcpOverhead } from '../../protocol/kcp/headers.ts'
import { dataOverhead } from '../../protocol/kcp/segment.ts'
import type { KcpConfig } from '../../settings/kcp.ts'

/** Bytes of a datagram that are left for payload, and those that are not. */
export function spaceFor({ mtu, masks }: Pick<KcpConfig, 'mtu' | 'masks'>): { room: number; overhead: number } {
  const overhead = masks.reduce(
    (sum, mask) => sum + kcpOverhead(mask.type, mask.type === 'dns' ? mask.domain : ''),
    dataOverhead,
  )
  return { room: mtu - overhead, overhead }
}
