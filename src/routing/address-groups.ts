/**
 * A condition on addresses, as Xray reads it: what is written singly and what comes from lists, each plain or inverted,
 * make up to four groups. The groups are alternatives; an inverted one holds for what is in none of its entries, and never
 * for a family of which it has no entry.
 */
import type { IpRule } from '../settings/routing.ts'
import { type Addresses, AddressSetBuilder, type Ip } from './addresses.ts'

export interface AddressGroup {
  readonly not: boolean
  readonly sets: readonly Addresses[]
}

/** The groups of a condition; `listOf` brings the set of a list. */
export function addressGroups(
  rules: readonly IpRule[],
  listOf: (file: string, code: string) => Addresses,
): readonly AddressGroup[] {
  const groups: AddressGroup[] = []
  for (const not of [false, true]) {
    const builder = new AddressSetBuilder()
    const lists: Addresses[] = []
    let blocks = 0
    for (const rule of rules) {
      if (rule.not !== not) continue
      if (rule.kind === 'list') lists.push(listOf(rule.file, rule.code))
      else {
        builder.add(rule.bytes, rule.prefix)
        blocks++
      }
    }
    if (blocks > 0) groups.push({ not, sets: [builder.build()] })
    if (lists.length > 0) groups.push({ not, sets: lists })
  }
  return groups
}

export function inGroups(groups: readonly AddressGroup[], ip: Ip): boolean {
  for (let i = 0; i < groups.length; i++) {
    const { not, sets } = groups[i]!
    const found = inAny(sets, ip)
    if (not ? !found && sets.some((set) => set.knows(ip)) : found) return true
  }
  return false
}

function inAny(sets: readonly Addresses[], ip: Ip): boolean {
  for (let i = 0; i < sets.length; i++) if (sets[i]!.has(ip)) return true
  return false
}
