/** What an outbound's own transport lies on: an address, a name, or a unix socket. */
import type { Dialer } from '../../core/dialer.ts'
import { resolveBy } from '../../core/domain-strategy.ts'
import type { Env } from '../../core/env.ts'
import type { Ground } from '../../core/ground.ts'
import { type NameService, resolveWith } from '../../core/name-service.ts'
import { happyEyeballs } from '../../net/names/happy-eyeballs.ts'
import type { OutboundConfig } from '../../settings/model.ts'

/** Always this unix socket; host and port stay for those above, such as TLS. */
export const overSocket = (tcp: Dialer, path: string): Dialer => ({
  dial: (to, options) => tcp.dial({ ...to, path }, options),
})

/** Dials names too. Another outbound takes them as they are, unless a strategy or rules say that they are resolved here. */
export function namesOver(
  { tcp, resolve }: Ground,
  { stream: { sockopt } }: OutboundConfig,
  takesNames: boolean,
  { env, names: own }: { readonly env: Env; readonly names?: NameService },
): Dialer {
  const { domainStrategy = 'AsIs', race } = sockopt
  if (takesNames && domainStrategy === 'AsIs') return tcp
  const { clock, log } = env
  const names = own && resolveWith(own)
  return happyEyeballs(tcp, { resolve: resolveBy(domainStrategy, resolve, names), clock, log, ...(race && { race }) })
}
