import type { RecordType } from '../../core/name-service.ts'
import type { AddressFamilies } from '../../settings/dns.ts'

export const typeOf = (address: string): RecordType => (address.includes(':') ? 'AAAA' : 'A')

/** Those of the types, in their order. */
export const addressesOf = (addresses: readonly string[], types: readonly RecordType[]): readonly string[] =>
  addresses.filter((address) => types.includes(typeOf(address)))

/** What is left of the types where only these families are asked for. */
export const allowedTypes = (
  types: readonly RecordType[],
  families: AddressFamilies,
  reachable: () => readonly RecordType[],
): readonly RecordType[] => {
  if (families === 'both') return types
  if (families === 'system') return types.filter((type) => reachable().includes(type))
  return types.filter((type) => (type === 'A') === (families === 'ipv4'))
}
