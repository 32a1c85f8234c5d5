/** The body of either direction, behind the header: made by the native twin where it is there and the data is sealed, else by TypeScript. */

import type { Random } from '../../../core/env.ts'
import { type Aead, type AeadName, createAead } from '../../../crypto/aead.ts'
import { createCfb } from '../../../crypto/cfb.ts'
import { Shake128 } from '../../../crypto/shake128.ts'
import { twin } from '../../../crypto/twin.ts'
import { TwinOpener } from '../twin/opener.ts'
import { TwinSealer } from '../twin/sealer.ts'
import { aeadKey, lengthKey } from './body-keys.ts'
import type { BodyDirection, BodyOpener, BodyScheme, BodySealer } from './body-model.ts'
import { CfbOpener, CfbSealer } from './cfb-body.ts'
import type { ChunkParts } from './chunk.ts'
import { bareData, checkedData, SealedData } from './chunk-data.ts'
import { type ChunkForm, chunkForm } from './chunk-form.ts'
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
  const form = chunkForm(scheme)
  const native = form.aead && twin()
  return native ? new TwinSealer(native, form, scheme, direction) : typescriptSealer(form, scheme, direction)
}

/** @param direction `packet`: for packet transfer, called once per datagram with a view of `into` */
export function createOpener(
  scheme: BodyScheme,
  direction: BodyDirection & { readonly packet?: (datagram: Uint8Array) => void },
): BodyOpener {
  const form = chunkForm(scheme)
  const native = form.aead && twin()
  const packet = scheme.transfer === 'packet' ? direction.packet : undefined
  return native
    ? new TwinOpener(native, form, scheme, direction, packet)
    : typescriptOpener(form, scheme, direction, packet)
}

/** createSealer() without the twin. */
export function typescriptSealer(
  form: ChunkForm,
  scheme: BodyScheme,
  direction: BodyDirection & { readonly terminate: boolean; readonly random: Random },
): BodySealer {
  const terminated = scheme.options.chunkStream && direction.terminate
  const sealer = form.framed
    ? new ChunkSealer(chunkParts(form, scheme, direction), scheme.transfer, direction.random, terminated)
    : new UnframedSealer()
  if (!form.cfb) return sealer
  return new CfbSealer(sealer, direction.cfb ?? createCfb('encrypt', direction.key, direction.iv))
}

/** createOpener() without the twin. */
export function typescriptOpener(
  form: ChunkForm,
  scheme: BodyScheme,
  direction: BodyDirection,
  packet: ((datagram: Uint8Array) => void) | undefined,
): BodyOpener {
  const opener = form.framed ? new ChunkOpener(chunkParts(form, scheme, direction), packet) : new UnframedOpener(packet)
  if (!form.cfb) return opener
  return new CfbOpener(opener, direction.cfb ?? createCfb('decrypt', direction.key, direction.iv))
}

function chunkParts(form: ChunkForm, scheme: BodyScheme, { key, iv }: BodyDirection): ChunkParts {
  const { aead, authenticated, masked, padded } = form
  // Masks and padding come out of one stream of numbers, in the order in which they are drawn.
  const shake = masked || padded ? new Shake128(iv) : undefined
  const seal = (name: AeadName, under: Uint8Array): Aead => createAead(name, aeadKey(name, under))
  let size: SizeCodec = plainSize
  // Request key and IV on purpose: all peers use them for the lengths of the answer, too.
  if (authenticated) {
    size = new AuthenticatedSize(seal(aead!, lengthKey(scheme.requestKey)), new NonceCounter(scheme.requestIv))
  } else if (masked) size = new MaskedSize(shake!)
  return {
    size,
    data: aead ? new SealedData(seal(aead, key), new NonceCounter(iv)) : form.cfb ? checkedData : bareData,
    padding: padded ? new ShakePadding(shake!) : noPadding,
  }
}
