import { clientConfig, type Door, type Link, type Root, serverConfig } from './configs.ts'
import { freePorts, type Peer, type Program, type StartOptions, startPeer, withPeers } from './harness.ts'
import { startInside } from './inside.ts'
import { type SocksTarget, socksConnect } from './socks-client.ts'
import type { Wire } from './wire.ts'

export interface PairSpec extends Omit<Link, 'port'> {
  readonly client: Program
  readonly server: Program
  /** Replaces parts of the generated files, such as `log` or `policy`. */
  readonly clientExtra?: Root
  /** Joins the client's outbound, such as `mux`. */
  readonly outboundExtra?: Root
  readonly serverExtra?: Root
  readonly clientStart?: Partial<StartOptions>
  readonly serverStart?: Partial<StartOptions>
  /** Ours runs in this process, where the test asks for nothing of a process of its own. */
  readonly inside?: boolean
  /** Instead of a SOCKS port: the client's local port leads to this target alone. */
  readonly fixedTo?: SocksTarget & { readonly network?: 'tcp' | 'udp' | 'tcp,udp' }
}

export interface Pair {
  readonly client: Peer
  readonly server: Peer
  readonly serverPort: number
  /** The client's local port. */
  readonly doorPort: number
  /** Through the SOCKS port and both proxies. */
  open(target: SocksTarget, options?: { name?: string; stallMs?: number }): Promise<Wire>
}

/** Starts a server and a client for it, runs `body`, stops both. */
export async function withPair<T>(spec: PairSpec, body: (pair: Pair) => Promise<T>): Promise<T> {
  const [serverPort, doorPort] = (await freePorts(2)) as [number, number]
  const link: Link = { ...spec, port: serverPort }
  const door: Door = spec.fixedTo
    ? { fixedPort: doorPort, to: spec.fixedTo, network: spec.fixedTo.network ?? 'tcp' }
    : { socksPort: doorPort }
  const start: typeof startPeer = (program, config, options) =>
    spec.inside && program === 'ours' ? startInside(config, options.name!) : startPeer(program, config, options)
  const started = await Promise.allSettled([
    start(spec.server, serverConfig(link, spec.serverExtra), {
      ports: [serverPort],
      name: `server (${spec.server})`,
      ...spec.serverStart,
    }),
    start(spec.client, clientConfig(link, door, spec.clientExtra, spec.outboundExtra), {
      ports: [doorPort],
      name: `client (${spec.client})`,
      ...spec.clientStart,
    }),
  ])
  const peers = started.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  return withPeers(peers, async () => {
    for (const start of started) if (start.status === 'rejected') throw start.reason
    const [server, client] = peers as [Peer, Peer]
    return body({
      client,
      server,
      serverPort,
      doorPort,
      open: (target, options) => socksConnect(doorPort, target, options),
    })
  })
}
