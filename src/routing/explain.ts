/** Why a flow takes the way that it takes. */
import type { Ip } from './addresses.ts'
import { ipOf } from './addresses.ts'
import type { FlowView } from './flow-view.ts'
import type { ResolveName, Router } from './router.ts'
import type { CompiledRule } from './rule.ts'

export interface Explanation {
  /** Undefined: no rule takes it. */
  readonly rule: CompiledRule | undefined
  /** Addresses of the name, where it was resolved. */
  readonly resolved: readonly string[] | undefined
  /** The rules in front of it, or all, each with the key of a condition that does not hold. */
  readonly passed: readonly { readonly name: string; readonly key: string }[]
}

export async function explain(router: Router, flow: FlowView, resolve: ResolveName): Promise<Explanation> {
  let resolved: readonly string[] | undefined
  const rule = await router.pick(flow, async (name) => {
    resolved = await resolve(name).catch(() => [])
    return resolved
  })
  const target = router.target(flow)
  const found: readonly Ip[] | undefined = resolved?.flatMap((text) => ipOf(text) ?? [])
  const known = found && found.length > 0 ? { ...target, ips: found } : target
  const passed: { name: string; key: string }[] = []
  for (const [i, other] of router.rules.entries()) {
    if (other === rule) break
    // With IPIfNonMatch a rule may hold only with addresses that nobody asked for.
    passed.push({ name: other.name, key: router.failing(i, flow, known) ?? 'ip' })
  }
  return { rule, resolved, passed }
}
