import { type Address, formatAddress } from '../../../core/address.ts'
import { sharingClash } from '../../../kinds/sharing.ts'
import { ConfigError } from '../../../schema/problem.ts'
import type { InboundParts } from '../running-inbound.ts'

/**
 * That first bytes tell the inbounds apart which have an address in common, now that it is known what their certificates
 * are for; the loader has seen to all else. Throws ConfigError CFG086 naming both.
 */
export function checkSharing(inbounds: readonly InboundParts[]): void {
  const at = new Map<string, InboundParts[]>()
  const checked = new Set<string>()
  const together = (inbound: InboundParts, other: InboundParts, address: Address): void => {
    // Of a range there are many addresses.
    const pair = `${inbounds.indexOf(other)} ${inbounds.indexOf(inbound)}`
    if (!checked.has(pair)) check(inbound, other, address)
    checked.add(pair)
  }
  for (const inbound of inbounds) {
    for (const { address } of inbound.claim ? inbound.config.listen : []) {
      if (address.port === 0 && address.path === undefined) continue
      const key = formatAddress(address)
      const others = at.get(key)
      if (!others) at.set(key, [inbound])
      else {
        for (const other of others) together(inbound, other, address)
        others.push(inbound)
      }
    }
  }
}

function check(inbound: InboundParts, other: InboundParts, address: Address): void {
  const [here, there] = [inbound, other].map(known)
  const why = here && there && sharingClash(there, here)
  if (why === undefined) return
  const { at, stream } = inbound.config
  const place = stream.tls?.certificates[0]?.cert ?? { at, file: '', line: 0, column: 0 }
  const message = `${formatAddress(address)} is already listened on by ${nameOf(other)}, and nothing tells ${nameOf(inbound)} apart from it: ${why}`
  const hint = 'write another port, or say with "serverName" in "tlsSettings" which name each of them serves'
  const { file, line, column } = place
  throw new ConfigError([{ code: 'CFG086', severity: 'error', path: place.at, file, line, column, message, hint }])
}

const nameOf = ({ config: { at, tag } }: InboundParts): string => (tag === '' ? at : `${at} (${tag})`)

/** With the names of its certificates. */
function known({ claim }: InboundParts) {
  if (!claim) return undefined
  const { sharer } = claim
  const { tls } = sharer
  return tls ? { ...sharer, tls: { ...tls, names: tls.names ?? claim.names() } } : sharer
}
