import { readFileSync } from 'node:fs'
import { hasFastChaCha } from '../../crypto/aead.ts'
import type { Security } from '../../protocol/vmess/body/body.ts'

let known: Security | undefined

/**
 * What `security: auto` means here: AES-128-GCM where the processor has AES instructions, ChaCha20-Poly1305 otherwise.
 * By architecture as V2Ray does; on Linux the processor's own flags overrule it. Where the runtime has no ChaCha20-Poly1305 of its
 * own, as Bun, it is AES.
 */
export function autoSecurity(): Security {
  known ??= hasAes() || !hasFastChaCha() ? 'aes-128-gcm' : 'chacha20-poly1305'
  return known
}

function hasAes(): boolean {
  if (!['x64', 'arm64', 's390x'].includes(process.arch)) return false
  if (process.arch === 's390x' || process.platform !== 'linux') return true
  try {
    const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]
    return flags === undefined || /\baes\b/.test(flags)
  } catch {
    return true
  }
}
