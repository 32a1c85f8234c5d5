/** Nothing can listen where something else does already, unless first bytes tell the two apart. */
import type { Address } from '../../core/address.ts'
import type { Kinds } from '../../kinds/kinds.ts'
import { type Sharer, sharerOf, sharingClash } from '../../kinds/sharing.ts'
import type { Context } from '../../schema/context.ts'
import type { Place } from '../../schema/report.ts'
import type { InboundConfig } from '../../settings/model.ts'
import type { ReadInbound } from './inbound.ts'
import { allAddresses } from './listen.ts'

/** An API that listens by itself. */
export interface Endpoint {
  /** As in the configuration: `api`. */
  readonly name: string
  readonly address: Address
  readonly place: Place
}

/** A port of TCP is none of UDP. */
interface Socket extends Address {
  readonly udp?: true
}

interface Listener {
  readonly name: string
  readonly addresses: readonly Socket[]
  /** Opens some of its ports, and others where one is taken. */
  readonly dynamic: boolean
  /** By what it can share a port; absent: it cannot. */
  readonly sharer?: Sharer
  place(key: 'port' | 'listen'): Place
}

/** Reports what could not start beside what stands before it. */
export function checkPorts(
  inbounds: readonly ReadInbound[],
  endpoints: readonly Endpoint[],
  kinds: Kinds,
  { report }: Context,
): void {
  const taken = new Map<string | number, { readonly address: Socket; readonly by: Listener }[]>()
  const listeners = [
    ...inbounds.flatMap((inbound) => listenerOf(inbound, kinds, (key) => report.at(inbound.owner, key)) ?? []),
    ...endpoints.map(({ name, address, place }) => ({
      name,
      addresses: [address],
      dynamic: false,
      place: () => place,
    })),
  ]
  for (const listener of listeners) {
    const why = sharing(listener)
    const addresses = listener.addresses.filter(({ port, path }) => port !== 0 || path !== undefined)
    const clashes = addresses.flatMap((address) => {
      const others = taken.get(keyOf(address))?.filter((other) => overlap(address, other.address)) ?? []
      return others.flatMap((other) => {
        const reason = why(address, other)
        return reason === undefined
          ? []
          : { address, other, why: reason, fatal: !other.by.dynamic && !listener.dynamic }
      })
    })
    const clash = clashes.find(({ fatal }) => fatal) ?? clashes[0]
    if (clash) {
      const { address, other, fatal } = clash
      const where = address.host === other.address.host ? '' : ` on ${hostOf(other.address)}`
      const apart = clash.why === '' ? '' : `, and nothing tells the two apart: ${clash.why}`
      const message = `${nameOf(address)} is already listened on by ${other.by.name}${where}${apart}`
      const place = listener.place(address.path === undefined ? 'port' : 'listen')
      if (!fatal) report.warn('CFG086', place, message, 'leave this port out of the range of the dynamic ports')
      else report.error('CFG086', place, message, hintFor(address, clash.why))
    }
    for (const address of addresses) {
      const others = taken.get(keyOf(address))
      if (others) others.push({ address, by: listener })
      else taken.set(keyOf(address), [{ address, by: listener }])
    }
  }
}

/** Why two cannot have one address; `''` where there is nothing to say but that; undefined: they can. */
function sharing({ sharer }: Listener) {
  const verdicts = new Map<Sharer, string | undefined>()
  return (address: Socket, other: { readonly address: Socket; readonly by: Listener }): string | undefined => {
    const theirs = other.by.sharer
    if (!sharer || !theirs || address.udp || address.host !== other.address.host) return ''
    // Of a range there are many addresses.
    if (!verdicts.has(theirs)) verdicts.set(theirs, sharingClash(theirs, sharer))
    return verdicts.get(theirs)
  }
}

function listenerOf({ config }: ReadInbound, kinds: Kinds, place: Listener['place']): Listener | undefined {
  if (!config) return undefined
  const sockets = config.listen.map(({ address }) => address)
  const networks = networksAt(config)
  const addresses: Socket[] = networks.includes('tcp') ? [...sockets] : []
  if (networks.includes('udp')) {
    addresses.push(
      ...sockets.filter(({ path }) => path === undefined).map((address) => ({ ...address, udp: true as const })),
    )
  }
  const sharer = sharerOf(config, kinds)
  return { name: config.at, addresses, dynamic: config.allocate !== undefined, ...(sharer && { sharer }), place }
}

function networksAt(config: InboundConfig): readonly ('tcp' | 'udp')[] {
  if (config.protocol === 'dokodemo-door') return config.settings.networks
  return (config.protocol === 'socks' || config.protocol === 'mixed') && config.settings.udp ? ['tcp', 'udp'] : ['tcp']
}

const keyOf = ({ port, path, udp }: Socket): string | number => path ?? (udp ? `udp ${port}` : port)

/** One socket for all addresses leaves none of them to another. */
const overlap = (one: Address, other: Address): boolean =>
  one.path !== undefined || one.host === other.host || one.host === allAddresses || other.host === allAddresses

const hintFor = ({ path }: Socket, why: string): string =>
  `write another ${path === undefined ? 'port' : 'path'}${why === '' ? '' : ', or give one of them another path, "host" or name of TLS'}`

const hostOf = ({ host }: Address): string => (host === allAddresses ? 'all addresses' : host)

const nameOf = (address: Socket): string =>
  address.path === undefined ? `${address.udp ? 'UDP ' : ''}port ${address.port} of ${hostOf(address)}` : 'this socket'
