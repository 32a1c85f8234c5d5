/** An instance with the gRPC API in this process, and a client that speaks either family's names. */

import { once } from 'node:events'
import { createServer } from 'node:net'
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import { loadTypes, type Types } from '../../src/api/grpc/types.ts'
import { connect } from '../../src/app/connect.ts'
import { InstanceControl } from '../../src/app/control/control.ts'
import { systemEnv } from '../../src/app/instance/env.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { startGrpcApi } from '../../src/app/instance/services.ts'
import { builtin } from '../../src/builtin/kinds.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import type { Control } from '../../src/control/control.ts'
import { silentLogger } from '../../src/core/env.ts'
import type { Family } from '../../src/messages/fields.ts'
import type { ApiConfig, Config } from '../../src/settings/model.ts'
import { freePorts } from '../interop/rig/harness.ts'

export const types: Types = await loadTypes(builtin)

export const aliceId = '8e3d2f6a-51c7-4b0e-9a44-6f0b7d1c2e95'

export interface Api {
  readonly instance: Instance
  readonly control: Control
  readonly vmessPort: number
  /** Where the API is reached through a door and a rule. */
  readonly doorPort: number
  /** Where it listens itself. */
  readonly listenPort: number
  restarts(): number
  /** Warnings in the log so far. */
  readonly warned: readonly string[]
  close(): Promise<void>
}

const allServices: ApiConfig['services'] = ['HandlerService', 'LoggerService', 'StatsService']

export async function startApi(services = allServices): Promise<Api> {
  const [vmessPort, doorPort, listenPort] = (await freePorts(3)) as [number, number, number]
  const config: Config = {
    ...configOf({
      inbounds: [
        {
          tag: 'vmess-in',
          listen: '127.0.0.1',
          port: vmessPort,
          protocol: 'vmess',
          settings: { clients: [{ id: aliceId, email: 'alice@home.lan' }] },
        },
        {
          tag: 'api-in',
          listen: '127.0.0.1',
          port: doorPort,
          protocol: 'dokodemo-door',
          settings: { address: '127.0.0.1' },
        },
      ],
      outbounds: [{ tag: 'direct', protocol: 'freedom' }],
    }),
    api: { tag: 'api', services, listen: { host: '127.0.0.1', port: listenPort } },
    routing: {
      domainStrategy: 'AsIs',
      normalizeTrailingDot: false,
      rules: [{ at: '', ruleTag: '', inboundTags: ['api-in'], outboundTag: 'api' }],
      balancers: [],
    },
  }
  const warned: string[] = []
  const env = systemEnv({ ...silentLogger, warn: (_fields, message) => void warned.push(message) })
  const instance = new Instance(config, { env })
  let restarts = 0
  const control = new InstanceControl({
    instance,
    env,
    version: '0.0.0',
    reload: () => Promise.resolve({ problems: [] }),
    restartLog: () => {
      restarts++
    },
  })
  const running = (await startGrpcApi(config, { instance, control, env }))!
  await instance.start()
  return {
    instance,
    control,
    vmessPort,
    doorPort,
    listenPort,
    restarts: () => restarts,
    warned,
    close: async () => {
      await running.close()
      await instance.stop(0)
    },
  }
}

export function configOf(json: object): Config {
  const { config, problems } = loadConfigValue(json)
  if (!config) throw new Error(problems.map(({ message }) => message).join('\n'))
  return config
}

const serviceNames = {
  ObservatoryService: 'app.observatory.command.ObservatoryService',
  RoutingService: 'app.router.command.RoutingService',
  HandlerService: 'app.proxyman.command.HandlerService',
  LoggerService: 'app.log.command.LoggerService',
  StatsService: 'app.stats.command.StatsService',
} as const

/** Where Xray has another name. */
const xrayNames: Partial<Record<keyof typeof serviceNames, string>> = {
  ObservatoryService: 'core.app.observatory.command.ObservatoryService',
}

export interface Caller {
  /** Calls `StatsService.GetStats` and so on. Rejects with the ServiceError of the call. */
  call<T = unknown>(method: string, request?: object): Promise<T>
  /** A TypedMessage of the caller's family. */
  typed(name: string, values: object): object
  close(): void
}

export function callerOf(address: string, family: Family): Caller {
  const client = new Client(address, credentials.createInsecure())
  return {
    call: <T>(name: string, request: object = {}) =>
      new Promise<T>((resolve, reject) => {
        const [service, method] = name.split('.') as [keyof typeof serviceNames, string]
        const { path, requestSerialize, responseDeserialize } = types.service(
          serviceNames[service],
          family,
          family === 'xray' ? xrayNames[service] : undefined,
        )[method]!
        const deadline = Date.now() + 20_000
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          new Metadata(),
          { deadline },
          (error: ServiceError | null, response?: object) => (error ? reject(error) : resolve(response as T)),
        )
      }),
    typed: (name, values) => types.typed(family, name, values),
    close: () => client.close(),
  }
}

/** A user with a VMess account, as AddUserOperation and inbounds carry it. */
export const userOf = (caller: Caller, id: string, email: string, more: object = {}): object => ({
  level: 0,
  email,
  account: caller.typed('proxy.vmess.Account', { id, security_settings: { type: 2 }, ...more }),
})

export const vmessOutbound = (port: number, id: string) => ({
  protocol: 'vmess' as const,
  settings: { vnext: [{ address: '127.0.0.1', port, users: [{ id, security: 'aes-128-gcm' }] }] },
})

/** A stream through a VMess server of ours to the echo target; `tell` sends and waits for all of it to come back. */
export async function vmessStream(port: number, id: string, echoPort: number) {
  const stream = await connect(vmessOutbound(port, id), { host: '127.0.0.1', port: echoPort })
  let received = 0
  stream.on('data', (bytes: Buffer) => {
    received += bytes.length
  })
  let ended: Error | true | undefined
  stream.on('error', (error) => {
    ended = error
  })
  stream.on('end', () => {
    ended ??= true
  })
  return {
    stream,
    received: () => received,
    ended: () => ended,
  }
}

export interface Echo {
  readonly port: number
  close(): Promise<void>
}

export async function startEcho(): Promise<Echo> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return { port, close: () => new Promise((closed) => server.close(() => closed())) }
}
