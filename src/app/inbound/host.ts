import { formatAddress } from '../../core/address.ts'
import type { InboundIo } from '../../core/inbound.ts'
import type { Descriptors } from '../descriptors/descriptors.ts'
import type { DispatchDeps } from '../flow/deps.ts'
import { createDispatch } from '../flow/dispatch.ts'
import type { Connections } from './connections.ts'
import type { InboundHost, RunningInbound } from './running-inbound.ts'

export interface HostDeps {
  readonly dispatch: DispatchDeps
  readonly connections: Connections
  readonly descriptors: Descriptors
}

/** What an instance is to one of its inbounds. */
export function hostOf(inbound: () => RunningInbound, { dispatch, connections, descriptors }: HostDeps): InboundHost {
  let made: InboundIo | undefined
  const io = (): InboundIo => {
    made ??= {
      ...createDispatch(inbound(), dispatch),
      udpBeside(near) {
        // Whoever may ask for it has shown who it is, and no flow of its own will say so.
        descriptors.admit(near.info)
        return inbound().udpBeside(near)
      },
    }
    return made
  }
  return {
    env: dispatch.env,
    accept: (handler, conn) => {
      void connections.serve(inbound(), conn, () => handler.serve(conn, io()))
    },
    acceptPackets: (handler, client) => {
      const serve = async () => handler.servePackets?.(client, io())
      void connections.serve(inbound(), client, serve)
    },
    listening: (address) => dispatch.loops.listening(formatAddress(address)),
  }
}
