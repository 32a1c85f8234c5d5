import type { Duplex } from 'node:stream'
import { Server, ServerCredentials, type ServiceDefinition, type ServiceError, type sendUnaryData } from '@grpc/grpc-js'
import type { Control } from '../../control/control.ts'
import type { Address } from '../../core/address.ts'
import type { Listening } from '../../core/dialer.ts'
import type { Clock, Logger } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { toDuplex } from '../../net/duplex.ts'
import { removeStaleSocket } from '../../net/stale-socket.ts'
import { tcpListener } from '../../net/tcp.ts'
import { type Encode, encodeInSlices } from './encode.ts'
import { handlerService } from './handler-service.ts'
import { loggerService } from './logger-service.ts'
import type { Method, Methods, ServiceDeps } from './service.ts'
import { statsService } from './stats-service.ts'
import { statusCodes, statusOf } from './status.ts'
import { loadTypes, type Types } from './types.ts'

export type GrpcService = 'HandlerService' | 'LoggerService' | 'StatsService'

export interface GrpcApiDeps {
  readonly control: Control
  /** Only these are served; calls to others are answered UNIMPLEMENTED. */
  readonly services: readonly GrpcService[]
  readonly log: Logger
  readonly clock: Clock
}

/** V2Ray's and Xray's gRPC services, on connections that are handed to it. */
export interface GrpcApi {
  /** Serves a connection, and owns it. */
  accept(stream: Duplex): void
  /** Serves whoever connects there. Rejects with LISTEN_FAILED. */
  listen(address: Address): Promise<Listening>
  /** Ends every connection. Listeners are closed by whoever opened them. */
  close(): void
}

const services: {
  readonly [S in GrpcService]: { readonly name: string; readonly methods: (deps: ServiceDeps) => Methods }
} = {
  HandlerService: { name: 'app.proxyman.command.HandlerService', methods: handlerService },
  LoggerService: { name: 'app.log.command.LoggerService', methods: loggerService },
  StatsService: { name: 'app.stats.command.StatsService', methods: statsService },
}

/** Loads what the services need. Nothing is opened. */
export async function createGrpcApi(deps: GrpcApiDeps): Promise<GrpcApi> {
  const types = await loadTypes()
  const server = new Server({ 'grpc.enable_channelz': 0, 'grpc.max_concurrent_streams': limits.apiStreams })
  for (const service of new Set(deps.services)) {
    const { name, methods } = services[service]
    const implementation = callsOf(methods({ ...deps, types }), types.service(name, 'v2ray'), types, deps)
    for (const family of ['v2ray', 'xray'] as const)
      server.addService(encoded(types.service(name, family)), implementation)
  }
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  const open = new Set<Duplex>()

  const accept = (stream: Duplex): void => {
    // A peer that goes away is nobody's mistake, and an error without a listener would end the process.
    stream.on('error', () => {}).once('close', () => open.delete(stream))
    if (open.size >= limits.apiConnections) {
      stream.destroy()
      return
    }
    open.add(stream)
    injector.injectConnection(stream)
  }

  return {
    accept,
    async listen(address) {
      if (address.path !== undefined) await removeStaleSocket(address.path)
      return tcpListener().listen(address, (conn) => accept(toDuplex(conn)))
    },
    close() {
      server.forceShutdown()
      for (const stream of open) stream.destroy()
    },
  }
}

type Call = (call: { readonly request: object }, answer: sendUnaryData<Buffer>) => void

/** The same service, whose answers come encoded. */
const encoded = (service: ServiceDefinition): ServiceDefinition =>
  Object.fromEntries(
    Object.entries(service).map(([name, method]) => [name, { ...method, responseSerialize: (bytes: Buffer) => bytes }]),
  )

const callsOf = (methods: Methods, service: ServiceDefinition, types: Types, deps: GrpcApiDeps): Record<string, Call> =>
  Object.fromEntries(
    Object.entries(methods).map(([name, method]) => {
      const { responseSerialize } = service[name]!
      return [name, callOf(name, method, responseSerialize, types, deps)]
    }),
  )

function callOf(name: string, method: Method, encode: Encode, types: Types, { log, clock }: GrpcApiDeps): Call {
  return ({ request }, answer) => {
    const run = async (): Promise<Buffer> => encodeInSlices(clock, await method(types.fields(name, request)), encode)
    run().then(
      (response) => answer(null, response),
      (error: unknown) => {
        const status = statusOf(error)
        if (!status) log.error({ err: error, method: name }, 'a call to the API failed in an unexpected way')
        answer((status ?? { code: statusCodes.INTERNAL, details: 'internal error' }) as ServiceError)
      },
    )
  }
}
