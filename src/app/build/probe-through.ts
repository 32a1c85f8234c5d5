import type { Outbound } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { happyEyeballs } from '../../net/names/happy-eyeballs.ts'
import type { TlsClientConfig } from '../../settings/model.ts'
import { type ProbeRequest, probe } from '../routing/probe.ts'
import { clientDeps, nobody, type OutboundBuild } from './build.ts'
import { systemGround } from './ground.ts'

/** TLS as whoever has no settings for it has it. */
const plainTls: TlsClientConfig = {
  alpn: ['http/1.1'],
  enableSessionResumption: false,
  authorities: [],
  disableSystemRoot: false,
  serverName: '',
  allowInsecure: false,
  pinnedCertSha256: [],
  pinnedChainSha256: [],
  pinnedPublicKeySha256: [],
  masterKeyLog: '',
  verifyNames: [],
  certificates: [],
}

type Deps = Pick<OutboundBuild, 'kinds' | 'read' | 'resolve'> & { readonly env: Env }

/** Asks through an outbound, or without one by this machine's own sockets. */
export function probeThrough(
  outbound: Outbound | undefined,
  request: ProbeRequest,
  { env, kinds, read, resolve }: Deps,
): Promise<number> {
  const { clock, log } = env
  const own = () => happyEyeballs(systemGround({ clock, resolve, keepAliveIdleS: -1 }).tcp, { resolve, clock, log })
  const deps = { ...clientDeps, env, read, secure: true, serverName: '', alpn: undefined, trust: nobody }
  return probe(outbound ?? own(), request, { clock, secure: (base) => kinds.tls.client(plainTls, deps).client(base) })
}
