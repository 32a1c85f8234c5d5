/**
 * The body of either direction, behind the header. One table says what each security is made of; options choose the rest:
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

import type { Random } from '../../core/env.ts'
import { type Aead, type AeadName, createAead } from '../../crypto/aead.ts'
import { createCfb } from '../../crypto/cfb.ts'
import { Shake128 } from '../../crypto/shake128.ts'
import { aeadKey, lengthKey } from './body-keys.ts'
import type { BodyDirection, BodyOpener, BodyScheme, BodySealer, Security } from './body-model.ts'
import { CfbOpener, CfbSealer } from './cfb-body.ts'
import type { ChunkParts } from './chunk.ts'
import { bareData, type ChunkData, checkedData, SealedData } from './chunk-data.ts'
import { ChunkOpener } from './chunk-opener.ts'
import { ChunkSealer } from './chunk-sealer.ts'
import { NonceCounter } from './nonce.ts'
import { noPadding, ShakePadding } from './padding.ts'
import { AuthenticatedSize, MaskedSize, plainSize, type SizeCodec } from './size.ts'
import { UnframedOpener, UnframedSealer } from './unframed.ts'

export type { BodyDirection, BodyOpener, BodyOptions, BodyScheme, BodySealer, Security } from './body-model.ts'

/** @param direction `terminate`: whether finish() may write a terminator; `random` fills the padding */
export function createSealer(
  scheme: BodyScheme,
  direction: BodyDirection & { readonly terminate: boolean; readonly random: Random },
): BodySealer {
  const security = securities[scheme.security]
  const terminated = scheme.options.chunkStream && direction.terminate
  const sealer = isFramed(scheme)
    ? new ChunkSealer(chunkParts(scheme, direction), scheme.transfer, direction.random, terminated)
    : new UnframedSealer()
  if (!security.cfb) return sealer
  return new CfbSealer(sealer, direction.cfb ?? createCfb('encrypt', direction.key, direction.iv))
}

/** @param direction `packet`: for packet transfer, called once per datagram with a view of `into` */
export function createOpener(
  scheme: BodyScheme,
  direction: BodyDirection & { readonly packet?: (datagram: Uint8Array) => void },
): BodyOpener {
  const packet = scheme.transfer === 'packet' ? direction.packet : undefined
  const opener = isFramed(scheme) ? new ChunkOpener(chunkParts(scheme, direction), packet) : new UnframedOpener(packet)
  if (!securities[scheme.security].cfb) return opener
  return new CfbOpener(opener, direction.cfb ?? createCfb('decrypt', direction.key, direction.iv))
}

interface SecurityParts {
  /** Seals the data of chunks, and lengths where the options ask for it. */
  readonly aead?: AeadName
  /** The data of chunks where there is no AEAD. */
  readonly data?: ChunkData
  /** AES-128-CFB around everything. */
  readonly cfb?: true
  /** The padding option does nothing on a stream. */
  readonly streamUnpadded?: true
}

const securities: Readonly<Record<Security, SecurityParts>> = {
  'aes-128-gcm': { aead: 'aes-128-gcm' },
  'chacha20-poly1305': { aead: 'chacha20-poly1305' },
  none: { data: bareData, streamUnpadded: true },
  'aes-128-cfb': { data: checkedData, cfb: true },
}

const isFramed = (scheme: BodyScheme): boolean =>
  scheme.options.chunkStream || securities[scheme.security].aead !== undefined

function chunkParts(scheme: BodyScheme, { key, iv }: BodyDirection): ChunkParts {
  const { options, transfer, requestKey, requestIv } = scheme
  const { aead, data, streamUnpadded } = securities[scheme.security]
  const authenticated = options.authenticatedLength && aead !== undefined
  const masked = options.chunkMasking && !authenticated
  const padded = options.globalPadding && !(streamUnpadded && transfer === 'stream')
  // Masks and padding come out of one stream of numbers, in the order in which they are drawn.
  const shake = masked || padded ? new Shake128(iv) : undefined
  const seal = (name: AeadName, under: Uint8Array): Aead => createAead(name, aeadKey(name, under))
  let size: SizeCodec = plainSize
  // Request key and IV on purpose: all peers use them for the lengths of the answer, too.
  if (authenticated) size = new AuthenticatedSize(seal(aead, lengthKey(requestKey)), new NonceCounter(requestIv))
  else if (masked) size = new MaskedSize(shake!)
  return {
    size,
    data: data ?? new SealedData(seal(aead!, key), new NonceCounter(iv)),
    padding: padded ? new ShakePadding(shake!) : noPadding,
  }
}
