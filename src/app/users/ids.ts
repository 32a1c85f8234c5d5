/** User ids for the command line: reading, writing, and making new ones. */
import type { Random } from '../../core/env.ts'
import { formatUuid } from '../../protocol/vmess/users/identity.ts'

export { customId, formatUuid, parseId } from '../../protocol/vmess/users/identity.ts'

/** A fresh UUID of version 4, as text. */
export function randomUuid(random: Random): string {
  const id = random.fill(new Uint8Array(16))
  id[6] = (id[6]! & 0x0f) | 0x40
  id[8] = (id[8]! & 0x3f) | 0x80
  return formatUuid(id)
}
