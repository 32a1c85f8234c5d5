/**
 * Of a list of rules those that may hold for a flow by what few flows differ in: inbound, network and port of the target, and
 * whether there is a user or a protocol at all. They are remembered, so that most flows look at few rules.
 */
import { limits } from '../core/limits.ts'
import type { FlowView } from './flow-view.ts'
import type { CompiledRule } from './rule.ts'

export class Candidates {
  /** All of them, in their order. */
  readonly indices: readonly number[]
  readonly #rules: readonly CompiledRule[]
  /** By inbound, and in there by a number that stands for the rest. */
  readonly #known = new Map<string, Map<number, readonly number[]>>()
  #count = 0

  constructor(rules: readonly CompiledRule[], pick: (rule: CompiledRule) => boolean) {
    this.#rules = rules
    this.indices = rules.flatMap((rule, i) => (pick(rule) ? i : []))
  }

  /** Indices, in their order. Of each the `fixed` conditions hold. */
  of(flow: FlowView): readonly number[] {
    const key =
      flow.port * 8 + (flow.network === 'udp' ? 4 : 0) + (flow.user === '' ? 0 : 2) + (flow.protocol === '' ? 0 : 1)
    let ofInbound = this.#known.get(flow.inboundTag)
    const known = ofInbound?.get(key)
    if (known) return known
    if (++this.#count > limits.rememberedSelections) {
      this.#known.clear()
      this.#count = 1
      ofInbound = undefined
    }
    if (!ofInbound) {
      ofInbound = new Map()
      this.#known.set(flow.inboundTag, ofInbound)
    }
    const some = this.indices.filter((index) => mayHold(this.#rules[index]!, flow))
    ofInbound.set(key, some)
    return some
  }
}

function mayHold({ fixed, others }: CompiledRule, flow: FlowView): boolean {
  return (
    fixed.every((condition) => condition.holds(flow)) &&
    others.every(({ key }) => (key !== 'user' || flow.user !== '') && (key !== 'protocol' || flow.protocol !== ''))
  )
}
