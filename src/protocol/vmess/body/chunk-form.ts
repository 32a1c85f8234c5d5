/**
 * What the chunks of a body are made of. One table says what each security means; options choose the rest:
 *
 *                        data      around     framed when
 *     aes-128-gcm        sealed    -          always
 *     chacha20-poly1305  sealed    -          always
 *     none               bare      -          chunkStream
 *     aes-128-cfb        checked   CFB        chunkStream
 *
 *     size field    authenticatedLength (sealed data only), else chunkMasking, else plain
 *     padding       globalPadding; not on a stream of none, where V2Ray and Xray ignore the option
 */
import type { AeadName } from '../../../crypto/aead.ts'
import type { BodyScheme, Security } from './body-model.ts'

export interface ChunkForm {
  /** Without it there are no chunks. */
  readonly framed: boolean
  /** Seals the data of chunks, and lengths where they are authenticated. */
  readonly aead: AeadName | undefined
  /** AES-128-CFB around everything; data carries a checksum. */
  readonly cfb: boolean
  readonly authenticated: boolean
  readonly masked: boolean
  readonly padded: boolean
}

interface SecurityTraits {
  readonly aead?: AeadName
  readonly cfb?: true
  /** The padding option does nothing on a stream. */
  readonly streamUnpadded?: true
}

const securities: Readonly<Record<Security, SecurityTraits>> = {
  'aes-128-gcm': { aead: 'aes-128-gcm' },
  'chacha20-poly1305': { aead: 'chacha20-poly1305' },
  none: { streamUnpadded: true },
  'aes-128-cfb': { cfb: true },
}

export function chunkForm({ security, options, transfer }: BodyScheme): ChunkForm {
  const { aead, cfb = false, streamUnpadded = false } = securities[security]
  const authenticated = options.authenticatedLength && aead !== undefined
  return {
    framed: options.chunkStream || aead !== undefined,
    aead,
    cfb,
    authenticated,
    masked: options.chunkMasking && !authenticated,
    padded: options.globalPadding && !(streamUnpadded && transfer === 'stream'),
  }
}
