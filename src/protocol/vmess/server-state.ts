/** What a server's session holds on its way to the request, step by step: see server.ts. */
import type { CfbStream } from '../../crypto/cfb.ts'
import { fixedLength } from './header/request.ts'
import type { Match, VmessIdentity } from './users/directory.ts'
import type { UserSearch } from './users/user-search.ts'

/** How far it is. */
export type ServerState<U extends VmessIdentity> =
  | { readonly at: 'auth' }
  | { readonly at: 'search'; readonly search: UserSearch<Match<U>> }
  | { readonly at: 'length'; readonly match: Match<U> }
  | { readonly at: 'header'; readonly match: Match<U>; readonly end: number }
  | { readonly at: 'legacy'; readonly match: Match<U>; readonly fields: LegacyFields }
  | { readonly at: 'accepted' }
  | { readonly at: 'refused'; readonly error: unknown }

/** Legacy fields decrypted so far; nothing but their own content says where they end. */
export interface LegacyFields {
  readonly cfb: CfbStream
  readonly plain: Uint8Array
  have: number
  entered: boolean
}

/** The longest fields there can be: a domain of 255 bytes and 15 bytes of padding. */
export const legacyFieldsMax = fixedLength + 3 + 256 + 15 + 4
