import type { ServerHttp2Session } from 'node:http2'
import type { Duplex } from 'node:stream'
import { Server, ServerCredentials, type ServiceDefinition, type ServiceError, type sendUnaryData } from '@grpc/grpc-js'
import type { Control } from '../../control/control.ts'
import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Listening } from '../../core/dialer.ts'
import type { Clock, Logger } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import type { Kinds } from '../../kinds/kinds.ts'
import { statusCodes, statusOf } from '../../messages/status.ts'
import { onBehalfOf } from '../../net/on-behalf.ts'
import { carrierOf } from '../../net/streams/duplex.ts'
import { tcpListener } from '../../net/tcp.ts'
import { Callers } from '../callers.ts'
import { containStreams } from './contained.ts'
import { type Encode, encodeInSlices } from './encode.ts'
import { handlerService } from './handler-service.ts'
import { loggerService } from './logger-service.ts'
import { observatoryService } from './observatory-service.ts'
import { routingService } from './routing-service.ts'
import type { Method, Methods, ServiceDeps } from './service.ts'
import { statsService } from './stats-service.ts'
import { loadTypes, type Types } from './types.ts'

export type GrpcService = 'HandlerService' | 'LoggerService' | 'ObservatoryService' | 'RoutingService' | 'StatsService'

export interface GrpcApiDeps {
  readonly control: Control
  /** Only these are served; calls to others are answered UNIMPLEMENTED. */
  readonly services: readonly GrpcService[]
  /** What can be added. */
  readonly kinds: Kinds
  readonly clock: Clock
  readonly log: Logger
}

/** V2Ray's and Xray's gRPC services, on connections that are handed to it. */
export interface GrpcApi {
  /** Serves a connection, and owns it. `remote` is for the log. */
  accept(stream: Duplex, remote?: string): void
  /** Serves whoever connects there. Rejects with LISTEN_FAILED. */
  listen(address: Address): Promise<Listening>
  /** Ends every connection. Listeners are closed by whoever opened them. */
  close(): void
}

const services: {
  readonly [S in GrpcService]: {
    readonly name: string
    /** Where Xray has another name. */
    readonly xray?: string
    readonly methods: (deps: ServiceDeps) => Methods
    /** Methods that stream, each with why it ends at once. */
    readonly streams?: Readonly<Record<string, string>>
  }
} = {
  HandlerService: { name: 'app.proxyman.command.HandlerService', methods: handlerService },
  LoggerService: { name: 'app.log.command.LoggerService', methods: loggerService },
  ObservatoryService: {
    name: 'app.observatory.command.ObservatoryService',
    xray: 'core.app.observatory.command.ObservatoryService',
    methods: observatoryService,
  },
  RoutingService: {
    name: 'app.router.command.RoutingService',
    methods: routingService,
    // No program ever had them.
    streams: { SubscribeRoutingStats: 'app/router/command: Routing statistics not enabled.' },
  },
  StatsService: { name: 'app.stats.command.StatsService', methods: statsService },
}

/** Loads what the services need. Nothing is opened. */
export async function createGrpcApi(deps: GrpcApiDeps): Promise<GrpcApi> {
  const types = await loadTypes(deps.kinds)
  const server = new Server({
    'grpc.enable_channelz': 0,
    'grpc.max_concurrent_streams': limits.apiStreams,
    'grpc.max_connection_idle_ms': limits.apiIdleMs,
  })
  for (const service of new Set(deps.services)) {
    const { name, xray = name, methods, streams = {} } = services[service]
    const calls = callsOf(methods({ ...deps, types }), types.service(name, 'v2ray'), types, deps)
    const implementation = { ...calls, ...endedStreams(streams) }
    for (const [family, written] of [
      ['v2ray', name],
      ['xray', xray],
    ] as const)
      server.addService(encoded(types.service(name, family, written)), implementation)
  }
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  const callers = new Callers<Duplex>({ clock: deps.clock, max: limits.apiConnections, silenceMs: limits.apiSilenceMs })
  const sessions = new WeakMap<ServerHttp2Session, Duplex>()
  let entering: Duplex | undefined
  containStreams(server, {
    onSession(session) {
      const caller = entering
      if (!caller) return
      sessions.set(session, caller)
      session.once('remoteSettings', () => callers.hear(caller))
    },
    onStream(session, stream) {
      const caller = sessions.get(session)
      if (!caller) return
      callers.begin(caller)
      stream.once('close', () => callers.end(caller))
    },
    onFault: (err) => deps.log.error({ err }, 'the gRPC library failed over a stream: its connection was ended'),
  })

  const accept = (stream: Duplex, remote = ''): void => {
    // A peer that goes away is nobody's mistake, and an error without a listener would end the process.
    stream.on('error', () => {}).once('close', () => callers.leave(stream))
    if (!callers.enter(stream)) return
    stream.allowHalfOpen = false // HTTP/2 has an end of its own; whoever closes half has gone
    entering = stream
    const peer = { remote, through: 'the gRPC API', destroy: (reason: Error) => void stream.destroy(reason) }
    onBehalfOf(peer, () => injector.injectConnection(stream))
    entering = undefined
  }

  return {
    accept,
    listen(address) {
      // Ordinary sockets, which HTTP/2 reads without a detour through JavaScript. A unix socket is for its owner alone.
      const take = (conn: Conn): void => {
        const socket = carrierOf(conn)
        socket.read(0) // it comes paused, and HTTP/2 takes over the reading only of one that reads
        accept(socket, conn.info.remote)
      }
      return tcpListener({ lending: false }).listen(address, take, { mode: 0o600 })
    },
    close() {
      server.forceShutdown()
      for (const stream of callers) stream.destroy()
    },
  }
}

type Call = (call: { readonly request: object }, answer: sendUnaryData<Buffer>) => void

/** The same service, whose answers come encoded. */
const encoded = (service: ServiceDefinition): ServiceDefinition =>
  Object.fromEntries(
    Object.entries(service).map(([name, method]) => [name, { ...method, responseSerialize: (bytes: Buffer) => bytes }]),
  )

const endedStreams = (streams: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(streams).map(([name, details]) => [
      name,
      (call: { emit(event: 'error', error: object): void }) =>
        call.emit('error', { code: statusCodes.UNKNOWN, details }),
    ]),
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
    const unexpected = (err: unknown): void =>
      log.error({ err, method: name }, 'a call to the API failed in an unexpected way')
    run()
      .then(
        (response) => answer(null, response),
        (error: unknown) => {
          const status = statusOf(error)
          if (!status) unexpected(error)
          answer((status ?? { code: statusCodes.INTERNAL, details: 'internal error' }) as ServiceError)
        },
      )
      // Whatever the library makes of an answer.
      .catch(unexpected)
  }
}
