/**
 * Rules on the addresses that an outbound really dials. They lie below names and races, so that every address of a name is
 * looked at, whoever resolved it.
 */
import { type Address, formatAddress } from '../../core/address.ts'
import type { PacketConn, PacketDialer, PacketSink } from '../../core/datagrams/packet.ts'
import { PacketLayer } from '../../core/datagrams/packet-layer.ts'
import type { Dialer } from '../../core/dialer.ts'
import type { Logger } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Ground } from '../../core/ground.ts'
import { ipOf } from '../../routing/addresses.ts'
import type { FinalRule } from '../../settings/final-rules.ts'
import { type CompileOptions, compileRouting, noRouting } from '../routing/compile.ts'

/** What refuses an address, in words; undefined: it is allowed. */
export type Refusal = (network: 'tcp' | 'udp', to: Address) => string | undefined

/** @throws ConfigError for a list that is not there */
export function refusalBy(rules: readonly FinalRule[], options: CompileOptions): Refusal | undefined {
  const router = compileRouting({ ...noRouting, rules: rules.map((rule) => ({ ...rule, ruleTag: '' })) }, options)
  if (!router) return undefined
  const byRule = new Map(router.rules.map((compiled, i) => [compiled, rules[i]!]))
  return (network, to) => {
    const host = to.host.replace(/%.*$/, '')
    if (ipOf(host) === undefined) return 'it is a name, and rules are about addresses'
    const found = router.pick({ ...nobody, network, host, port: to.port }, unresolved)
    const rule = found instanceof Promise ? undefined : found && byRule.get(found)
    return rule?.action === 'block' ? `${rule.at} blocks it` : undefined
  }
}

/** The rest of a flow, about which these rules ask nothing. */
const nobody = { sourceHost: '', sourcePort: 0, localHost: '', localPort: 0, user: '', inboundTag: '', protocol: '' }

const unresolved = (): Promise<readonly string[]> => Promise.resolve([])

/** The same world without what is refused. Both its ways take addresses only. */
export const refusing = (ground: Ground, refusal: Refusal, log: Logger): Ground => ({
  ...ground,
  tcp: refusingStreams(ground.tcp, refusal),
  udp: refusingDatagrams(ground.udp, refusal, log),
})

const refusingStreams = (base: Dialer, refusal: Refusal): Dialer => ({
  async dial(to, options) {
    const why = to.path === undefined ? refusal('tcp', to) : undefined
    if (why !== undefined) throw new ProxyError('TARGET_REFUSED', `cannot connect to ${formatAddress(to)}: ${why}`)
    return base.dial(to, options)
  },
})

const refusingDatagrams = (base: PacketDialer, refusal: Refusal, log: Logger): PacketDialer => ({
  async open(options) {
    const conn = await base.open(options)
    let told = false
    const tell = (to: Address, why: string): void => {
      if (told) return
      told = true
      const inbound = options.session?.inboundTag
      const user = options.session?.user.email
      const flow = { ...(inbound && { inbound }), ...(user && { user }) }
      const target = formatAddress(to)
      log.info({ code: 'TARGET_REFUSED', target, ...flow }, `datagrams are dropped: ${why}`)
    }
    return new RefusingPackets(conn, refusal, tell)
  },
})

/** Nothing goes to refused addresses, and nothing comes from there. */
class RefusingPackets extends PacketLayer {
  readonly #refusal: Refusal
  readonly #tell: (to: Address, why: string) => void
  readonly #sent = new LastAddress()
  readonly #received = new LastAddress()

  constructor(base: PacketConn, refusal: Refusal, tell: (to: Address, why: string) => void) {
    super(base)
    this.#refusal = refusal
    this.#tell = tell
  }

  override send(bytes: Uint8Array, to: Address): boolean {
    if (!this.#sent.is(to)) {
      const why = this.#refusal('udp', to)
      if (why !== undefined) this.#tell(to, why)
      this.#sent.learn(to, why === undefined)
    }
    return this.#sent.allowed ? this.base.send(bytes, to) : this.drop()
  }

  override drainTo(sink: PacketSink): Promise<void> {
    return this.base.drainTo((lent, from) => {
      if (!this.#received.is(from)) this.#received.learn(from, this.#refusal('udp', from) === undefined)
      if (this.#received.allowed) sink(lent, from)
    })
  }
}

/** Most datagrams go where the one before went. */
class LastAddress {
  allowed = false
  #host = ''
  #port = -1

  is({ host, port }: Address): boolean {
    return port === this.#port && host === this.#host
  }

  learn({ host, port }: Address, allowed: boolean): void {
    this.#host = host
    this.#port = port
    this.allowed = allowed
  }
}
