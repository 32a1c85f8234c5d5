import type { TransportKind } from '../../kinds/kinds.ts'
import type { Context } from '../../schema/context.ts'
import { listOf } from '../../schema/values.ts'

/** Refuses the application protocol by which a transport takes another way than any here: the other end would wait there. */
export function checkAlpn(
  tls: { readonly alpn?: readonly string[] | string | undefined },
  kind: TransportKind | undefined,
  { report }: Context,
): void {
  const refused = kind?.refusesAlpn
  const [name, ...others] = listOf(tls.alpn)
  if (!refused || name?.trim() !== refused.name || others.length > 0) return
  const message = `"${refused.name}" alone asks for ${refused.what}, which is not available with the transport ${kind.name}`
  const hint = 'write "alpn": ["h2"] where the other end takes it, or leave it out'
  report.error('CFG034', report.at(tls, 'alpn'), message, hint)
}
