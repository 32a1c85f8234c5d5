import type { BlockCipher } from '../../../crypto/aes-block.ts'
import { authIdSealer } from '../header/auth-id.ts'
import { alterIds, commandKey } from './identity.ts'

/** What a client derives from an id, once for all its connections. */
export interface UserKeys {
  readonly commandKey: Uint8Array
  readonly sealAuthId: BlockCipher
  /** As many as the user's alterId. */
  readonly alterIds: readonly Uint8Array[]
}

const known = new WeakMap<Uint8Array, UserKeys>()

/** Derived at the first call for this id object and kept as long as that lives; the bytes must not change meanwhile. */
export function userKeys(user: { readonly id: Uint8Array; readonly alterId: number }): UserKeys {
  let keys = known.get(user.id)
  if (keys === undefined || keys.alterIds.length !== user.alterId) {
    const key = commandKey(user.id)
    keys = { commandKey: key, sealAuthId: authIdSealer(key), alterIds: alterIds(user.id, user.alterId) }
    known.set(user.id, keys)
  }
  return keys
}
