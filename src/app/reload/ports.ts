/** The addresses of a reload: all that are new are opened before anything else happens, or none. */

import type { Address } from '../../core/address.ts'
import type { Env } from '../../core/env.ts'
import { same } from '../../settings/same.ts'
import { type Place, placeKey, placesAt } from '../inbound/places.ts'
import { Port } from '../inbound/port.ts'
import { type AnyPort, type InboundParts, openPort, type RunningInbound } from '../inbound/running-inbound.ts'
import type { ReloadPlan } from './plan.ts'

/** New addresses that wait for their inbound, and those that change hands. */
export interface OpenedPorts {
  /** Stops listening where nothing does any more, and takes what changes hands. Before the inbounds adopt their parts. */
  detach(): void
  /** Gives every inbound its new ports. After they adopted their parts. */
  attach(): void
  /** An inbound whose ports have moved since, so that what was found out about them does not hold. */
  moved(): RunningInbound | undefined
  /** As if nothing had been opened. */
  undo(): void
}

/** @throws ProxyError LISTEN_FAILED; everything is as before then */
export async function openPorts(plan: ReloadPlan, env: Env): Promise<OpenedPorts> {
  const targets = [
    ...plan.changes.map(({ inbound, parts }) => ({ inbound, parts, ports: inbound.ports })),
    ...plan.additions.map((inbound) => ({ inbound, parts: inbound.parts, ports: [] })),
  ]
  // Several inbounds can have one address.
  let gone: readonly { readonly port: AnyPort; readonly from: RunningInbound }[] = []
  const leaving = plan.removals.map((inbound) => ({ inbound, ports: inbound.ports }))
  const settling = targets.filter(({ inbound, parts }) => !(inbound.config.allocate && parts.config.allocate))
  gone = leaving.flatMap(({ inbound: from, ports }) => ports.map((port) => ({ port, from })))
  for (const { inbound, parts, ports } of settling) {
    const wanted = new Set(fixed(parts).map(placeKey))
    const unwanted = ports.filter(({ key }) => !wanted.has(key))
    gone = [...gone, ...unwanted.map((port) => ({ port, from: inbound }))]
  }
  const opened: { readonly port: AnyPort; readonly to: RunningInbound }[] = []
  const handed: { port: AnyPort; from: RunningInbound; to: RunningInbound; rebind: boolean }[] = []
  const paused = new Set<AnyPort>()

  async function open(place: Place, parts: InboundParts, beside: readonly AnyPort[]): Promise<AnyPort> {
    const number = beside.find(({ listen }) => same(listen.address, place.address))?.address.port
    try {
      return await openPort(place, parts, env, number)
    } catch (error) {
      // An address that is about to be closed may hold the port: 127.0.0.1 excludes 0.0.0.0, and the other way round.
      const inTheWay = gone.filter(
        ({ port }) => port instanceof Port !== (place.udp === true) && samePort(port.address, place.address),
      )
      if (inTheWay.length === 0) throw error
      for (const { port } of inTheWay) {
        port.vacate()
        paused.add(port)
      }
      return openPort(place, parts, env, number)
    }
  }

  function undo(): void {
    for (const { port } of opened) port.close()
    for (const port of paused) port.resume()
  }

  try {
    for (const { inbound, parts, ports } of targets) {
      const here = new Set(ports.map(({ key }) => key))
      for (const listen of fixed(parts)) {
        const key = placeKey(listen)
        const other = here.has(key) ? undefined : gone.find(({ port }) => port.key === key)
        gone = gone.filter((one) => one !== other)
        if (other) handed.push({ ...other, to: inbound, rebind: !sameBinding(other.from.parts, parts) })
        else if (!here.has(key)) {
          const beside = [...ports, ...opened.filter(({ to }) => to === inbound).map(({ port }) => port)]
          opened.push({ port: await open(listen, parts, beside), to: inbound })
        }
      }
    }
  } catch (error) {
    undo()
    throw error
  }

  return {
    undo,
    moved: () => [...leaving, ...settling].find(({ inbound, ports }) => !sameItems(inbound.ports, ports))?.inbound,
    detach() {
      for (const { port, from } of gone) from.release(port.listen)?.close()
      for (const { port, from } of handed) from.release(port.listen)
    },
    attach() {
      for (const { port, to, rebind } of handed) {
        if (rebind && port instanceof Port) port.rebind(to.parts.base)
        to.hold(port)
      }
      for (const { port, to } of opened) to.hold(port)
      for (const { inbound, parts } of targets) {
        for (const port of inbound.ports) {
          const listen = fixed(parts).find((listen) => placeKey(listen) === port.key)
          if (listen) port.describe(listen)
        }
      }
    },
  }
}

const sameItems = (a: readonly AnyPort[], b: readonly AnyPort[]): boolean =>
  a.length === b.length && a.every((port, i) => port === b[i])

/** Addresses that are listened on at all times. */
const fixed = ({ config, handler }: InboundParts): readonly Place[] =>
  config.allocate ? [] : config.listen.flatMap((listen) => placesAt(listen, handler))

const samePort = (a: Address, b: Address): boolean =>
  a.path === undefined && b.path === undefined && a.port === b.port && a.port !== 0

const sameBinding = (a: InboundParts, b: InboundParts): boolean => same(a.binding, b.binding)
