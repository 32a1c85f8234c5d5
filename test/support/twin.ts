/** Bodies by implementation, for tests that set the native twin beside the TypeScript. */
import type { Random } from '../../src/core/env.ts'
import { describeTwin, type Twin, twin } from '../../src/crypto/twin.ts'
import {
  type BodyOpener,
  type BodyScheme,
  type BodySealer,
  typescriptOpener,
  typescriptSealer,
} from '../../src/protocol/vmess/body/body.ts'
import { chunkForm } from '../../src/protocol/vmess/body/chunk-form.ts'
import { TwinOpener } from '../../src/protocol/vmess/twin/opener.ts'
import { TwinSealer } from '../../src/protocol/vmess/twin/sealer.ts'
import { directionKeys } from './body.ts'

export const native: Twin | undefined = twin()

/** Behind the name of tests that need the twin: why they are skipped, if they are. */
export const skipped = native ? '' : ` (skipped, the native twin is ${describeTwin()})`

export type Implementation = 'native' | 'typescript'

export function sealerBy(
  implementation: Implementation,
  scheme: BodyScheme,
  direction: 'request' | 'response',
  random: Random,
): BodySealer {
  const keys = { ...directionKeys(scheme, direction), terminate: true, random }
  const form = chunkForm(scheme)
  return implementation === 'native'
    ? new TwinSealer(native!, form, scheme, keys)
    : typescriptSealer(form, scheme, keys)
}

export function openerBy(
  implementation: Implementation,
  scheme: BodyScheme,
  direction: 'request' | 'response',
  packet?: (datagram: Uint8Array) => void,
): BodyOpener {
  const keys = directionKeys(scheme, direction)
  const form = chunkForm(scheme)
  return implementation === 'native'
    ? new TwinOpener(native!, form, scheme, keys, packet)
    : typescriptOpener(form, scheme, keys, packet)
}
