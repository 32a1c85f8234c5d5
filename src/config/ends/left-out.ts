/** Inbounds and outbounds of protocols that are not spoken here, where they are to be left out instead of refused. */
import type { Kinds } from '../../kinds/kinds.ts'
import type { Context } from '../../schema/context.ts'
import { shorten } from '../../schema/report.ts'
import { entryOf, textOf } from '../../schema/tree.ts'
import type { OutboundConfig } from '../../settings/model.ts'
import type { Located } from './inbound.ts'
import { isForeign } from './protocol.ts'

export interface Sorted {
  readonly kept: readonly Located[]
  /** Tags of those that were left out. */
  readonly tags: readonly string[]
  /** Stands for the first one, if that was left out: what no rule takes must not go by the second. */
  readonly instead?: OutboundConfig
}

/** Takes out what names a protocol of another program, with a warning each. */
export function leaveOut(
  entries: readonly Located[],
  role: 'inbound' | 'outbound',
  kinds: Kinds,
  { report }: Context,
): Sorted {
  const gone = entries.filter(({ node }) => isForeign(textOf(node, 'protocol'), role, kinds))
  for (const entry of gone) {
    const { node, path } = entry
    const value = node.type === 'object' ? entryOf(node, 'protocol')?.value : undefined
    const place = { source: node.source, offset: value?.offset ?? node.offset, path: `${path}.protocol` }
    const shown = JSON.stringify(shorten(textOf(node, 'protocol')!))
    const first = role === 'outbound' && entry === entries[0]
    const meaning =
      role === 'inbound'
        ? 'nobody can connect to it'
        : `what rules lead to it is blocked${first ? ', and what no rule takes as well: it is the first' : ''}`
    report.warn(
      'CFG034',
      place,
      `the ${role} protocol ${shown} is not supported: this ${role} is left out, and ${meaning}`,
    )
  }
  const [first] = entries
  return {
    kept: entries.filter((entry) => !gone.includes(entry)),
    tags: gone.flatMap(({ node }) => textOf(node, 'tag') || []),
    ...(role === 'outbound' && first && gone.includes(first) && { instead: blocking(first) }),
  }
}

const blocking = ({ path }: Located): OutboundConfig => ({
  tag: '',
  at: path,
  stream: { network: 'tcp', sockopt: { tcpKeepAliveIdleS: -1 } },
  protocol: 'blackhole',
  settings: { response: 'none' },
})
