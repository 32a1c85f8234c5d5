import type { Config } from '../config/model.ts'
import type { Control } from '../control/control.ts'
import { formatAddress, isLoopback } from '../core/address.ts'
import type { Env } from '../core/env.ts'
import type { Instance } from './instance.ts'

export interface ServicesDeps {
  readonly instance: Instance
  readonly control: Control
  readonly env: Env
}

/** Something that runs beside the proxies and ends with them. */
export interface Service {
  close(): Promise<void>
}

/** Starts one service if the configuration asks for it. What it needs is loaded only then. */
type Start = (config: Config, deps: ServicesDeps) => Promise<Service | undefined>

/** In the order in which they start; they end in the reverse one. */
const starts: readonly Start[] = [startGrpcApi, startHttpApi]

/** Starts what the configuration asks for besides inbounds and outbounds, or nothing: rejects with LISTEN_FAILED. */
export async function startServices(config: Config, deps: ServicesDeps): Promise<Service> {
  const running: Service[] = []
  const close = async (): Promise<void> => {
    for (const service of running.splice(0).reverse()) await service.close()
  }
  try {
    for (const start of starts) {
      const service = await start(config, deps)
      if (service) running.push(service)
    }
  } catch (error) {
    await close()
    throw error
  }
  return { close }
}

async function startGrpcApi({ api }: Config, { instance, control, env }: ServicesDeps): Promise<Service | undefined> {
  if (!api) return undefined
  const [{ createGrpcApi }, { apiOutbound }] = await Promise.all([
    import('../api/grpc/server.ts'),
    import('../api/grpc/outbound.ts'),
  ])
  const grpc = await createGrpcApi({ control, services: api.services, log: env.log })
  const outbound = apiOutbound(api.tag, grpc.accept)
  instance.outbounds.add({ outbound })
  const listening = api.listen && (await grpc.listen(api.listen))
  if (listening) {
    env.log.info({ address: formatAddress(listening.address) }, `API listening on ${formatAddress(listening.address)}`)
    if (!isLoopback(listening.address)) {
      env.log.warn({}, 'the API asks for no password, and other machines can reach it: anybody there can use it')
    }
  }
  return {
    async close() {
      // A listener reports itself closed only when the connections it accepted are gone.
      const closed = listening?.close()
      grpc.close()
      await outbound.close()
      await closed
    },
  }
}

async function startHttpApi({ control: at }: Config, { control, env }: ServicesDeps): Promise<Service | undefined> {
  if (!at) return undefined
  const { createHttpApi } = await import('../api/http/server.ts')
  const { clock, log } = env
  const listening = await createHttpApi({ control, token: at.token, clock, log }).listen(at.listen)
  const address = formatAddress(listening.address)
  log.info({ address }, `control API listening on ${address}`)
  return listening
}
