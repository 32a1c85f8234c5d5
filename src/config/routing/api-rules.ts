/** Rules that lead to the API: by them its doors are known, which no client of a proxy may reach. */
import type { RoutingRule } from '../../settings/routing.ts'

/** Inbounds whose connections rules lead to the API. */
export function apiDoors(rules: readonly RoutingRule[], api: string | undefined): readonly string[] {
  if (api === undefined) return []
  const leading = rules.filter(({ outboundTag }) => outboundTag === api)
  return [...new Set(leading.flatMap(({ inboundTags }) => inboundTags ?? []))].filter((tag) => tag !== '')
}
