import type { Random } from '../../core/env.ts'
import { sha1 } from '../../crypto/hash.ts'
import { base64 } from '../wire/base64.ts'

/** Fixed by RFC 6455, section 1.3. */
const suffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const utf8 = new TextEncoder()

/** A new `Sec-WebSocket-Key`: 16 random bytes in base64. */
export const newKey = (random: Random): string => base64(random.fill(new Uint8Array(16)))

/** The `Sec-WebSocket-Accept` that shows that a server has read the key. */
export const acceptFor = (key: string): string => base64(sha1(utf8.encode(key + suffix)))
