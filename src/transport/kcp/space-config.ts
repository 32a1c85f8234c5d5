/** What the loader must know of datagrams: how much room there is in them, and what a question for a domain can hold. */
import type { KcpConfig, KcpMask } from '../../settings/kcp.ts'

/** Bytes of a segment before its payload. */
const segmentHead = 18

/** Bytes of a datagram that are left for payload, and those that are not. */
export function spaceFor({ mtu, masks }: Pick<KcpConfig, 'mtu' | 'masks'>): { room: number; overhead: number } {
  const overhead = masks.reduce((sum, mask) => sum + bytesOf(mask), segmentHead)
  return { room: mtu - overhead, overhead }
}

function bytesOf(mask: KcpMask): number {
  switch (mask.type) {
    case 'plain':
      return 6
    case 'gcm':
      return 28
    case 'dns':
      return 18 + lengthOf(mask.domain)
    case 'dtls':
    case 'wechat-video':
      return 13
    default:
      return 4
  }
}

/** Why a domain cannot be asked for; undefined: it can. */
export function domainFault(domain: string): string | undefined {
  if (lengthOf(domain) > 253) return 'it has more than 253 bytes'
  const labels = domain.split('.').map(lengthOf)
  if (labels.some((length) => length > 63)) return 'a part between two dots has more than 63 bytes'
  return labels.some((length) => length === 0) ? 'a part between two dots is empty' : undefined
}

const lengthOf = (text: string): number => new TextEncoder().encode(text).length
