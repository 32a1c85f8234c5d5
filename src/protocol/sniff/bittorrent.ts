import type { Verdict } from './model.ts'

const opening = new TextEncoder().encode('\x13BitTorrent protocol')

/** The opening of a BitTorrent peer, which names nobody. Encrypted ones look like nothing. */
export function sniffBitTorrent(seen: Uint8Array): Verdict {
  const length = Math.min(seen.length, opening.length)
  for (let i = 0; i < length; i++) if (seen[i] !== opening[i]) return 'no'
  return length < opening.length ? 'undecided' : { protocol: 'bittorrent', domain: '' }
}
