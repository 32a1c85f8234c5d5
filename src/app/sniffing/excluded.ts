/** Names and targets that sniffing leaves as they are, in the language of rules. */
import type { Session } from '../../core/session.ts'
import type { Router } from '../../routing/router.ts'
import type { SniffingConfig } from '../../settings/sniffing.ts'
import { type CompileOptions, compileRouting, noRouting } from '../routing/compile.ts'
import { viewOf } from '../routing/view.ts'

const routers = new WeakMap<SniffingConfig, Router>()

/** Reads the lists that they name. @throws ConfigError for one that is not there */
export function prepareExcluded(sniffing: SniffingConfig | undefined, options: CompileOptions): void {
  const { excluded } = sniffing ?? {}
  if (!sniffing || !excluded) return
  const { domains, ips, ...place } = excluded
  const rules = [
    ...(domains ? [{ ...place, ruleTag: '', domains }] : []),
    ...(ips ? [{ ...place, ruleTag: '', ips }] : []),
  ]
  const router = compileRouting({ ...noRouting, rules }, options)
  if (router) routers.set(sniffing, router)
}

/** Whether a name that was found is not to be used. */
export function isExcluded(sniffing: SniffingConfig, session: Session, name: string): boolean {
  const router = routers.get(sniffing)
  if (!router) return false
  const found = { ...session, ruledBy: { host: name, port: session.target.port } }
  return router.pick(viewOf(found), () => Promise.resolve([])) !== undefined
}
