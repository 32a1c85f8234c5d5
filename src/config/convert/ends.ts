/** What all writers of whole files do with ends and rules that they cannot write. */
import type { Losses } from './lost.ts'
import { asList, asPlain, asTexts, isPlain, join, type Plain, without } from './plain.ts'

/** A reason why the whole end cannot be written, or undefined. */
export type Refusal = (end: Plain) => string | undefined

/**
 * Inbounds that cannot be written are left out. An outbound leaves a blackhole in its place: what rules lead to it must not take
 * another way.
 */
export function writableEnds(root: Plain, refusal: Refusal, losses: Losses): Plain {
  const inbounds = asList(root.inbounds).flatMap((end, i) => {
    const why = refusal(asPlain(end))
    if (why) losses.say(join('inbounds', i), nameOf(end), `${why}: this inbound is left out`)
    return why ? [] : [end]
  })
  const outbounds = asList(root.outbounds).map((end, i) => {
    const why = refusal(asPlain(end))
    if (!why) return end
    losses.say(
      join('outbounds', i),
      nameOf(end),
      `${why}: a blackhole stands in its place, so that nothing leaves another way`,
    )
    return without({ protocol: 'blackhole', tag: asPlain(end).tag })
  })
  return without({
    ...root,
    inbounds: root.inbounds === undefined ? undefined : inbounds,
    outbounds: root.outbounds === undefined ? undefined : outbounds,
  })
}

const nameOf = (end: unknown): unknown => asPlain(end).tag ?? asPlain(end).protocol

/** A rule of which a condition cannot be written would match more: it is left out. */
export function writableRules(root: Plain, fault: (rule: Plain) => string | undefined, losses: Losses): Plain {
  const { routing } = root
  if (!isPlain(routing)) return root
  const rules = asList(routing.rules).flatMap((each, i) => {
    const why = fault(asPlain(each))
    if (why) losses.say(`routing.rules[${i}]`, each, `${why}: without it the rule would match more, so it is left out`)
    return why ? [] : [each]
  })
  return { ...root, routing: { ...routing, rules } }
}

export const hasUserExpression = (rule: Plain): boolean => asTexts(rule.user).some((user) => user.startsWith('regexp:'))

/** Changes every stream of a file. */
export function mapStreams(root: Plain, change: (stream: Plain, path: string) => Plain): Plain {
  const ends = (list: 'inbounds' | 'outbounds') =>
    root[list] === undefined
      ? undefined
      : asList(root[list]).map((each, i) => {
          const end = asPlain(each)
          if (!isPlain(end.streamSettings)) return end
          return { ...end, streamSettings: change(end.streamSettings, `${list}[${i}].streamSettings`) }
        })
  return without({ ...root, inbounds: ends('inbounds'), outbounds: ends('outbounds') })
}
