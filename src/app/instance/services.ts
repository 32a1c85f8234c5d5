/** What runs beside the proxies. Each starts only if the configuration asks for it, and its libraries are loaded only then. */

import type { Control } from '../../control/control.ts'
import { formatAddress } from '../../core/address.ts'
import type { Env } from '../../core/env.ts'
import type { Config } from '../../settings/model.ts'
import type { Instance } from './instance.ts'

export interface ServicesDeps {
  readonly instance: Instance
  readonly control: Control
  readonly env: Env
}

/** Something that runs beside the proxies and ends with them. */
export interface Service {
  close(): Promise<void>
  /** Makes the file of its unix socket again if somebody has removed it. Rejects with LISTEN_FAILED. */
  restore?(): Promise<void>
}

/** Writes what users have used into a store. To be started before the first byte passes. @throws ProxyError STORE_FAILED */
export async function startAccounting(
  { accounting }: Config,
  { instance, env }: ServicesDeps,
): Promise<Service | undefined> {
  if (!accounting) return undefined
  const { openAccounting } = await import('./accounting.ts')
  return openAccounting(accounting, { accounts: instance.accounts, env })
}

/** Serves the gRPC API by its outbound, and on an address of its own. @throws ProxyError LISTEN_FAILED */
export async function startGrpcApi(
  { api }: Config,
  { instance, control, env }: ServicesDeps,
): Promise<Service | undefined> {
  if (!api) return undefined
  const [{ createGrpcApi }, { apiOutbound }] = await Promise.all([
    import('../../api/grpc/server.ts'),
    import('../../api/grpc/outbound.ts'),
  ])
  const grpc = await createGrpcApi({
    control,
    services: api.services,
    kinds: instance.kinds,
    clock: env.clock,
    log: env.log,
  })
  const outbound = apiOutbound(api.tag, grpc.accept)
  instance.outbounds.add({ outbound })
  const listening = api.listen && (await grpc.listen(api.listen))
  if (listening) instance.api.listening(listening.address)
  // At the level at which V2Ray says that it has started: nobody would see it otherwise.
  if (listening) env.log.warn({}, `gRPC API listening on ${formatAddress(listening.address)}`)
  return {
    restore: async () => listening?.restore?.(),
    async close() {
      // A listener reports itself closed only when the connections it accepted are gone.
      const closed = listening?.close()
      grpc.close()
      await outbound.close()
      await closed
    },
  }
}

/** @throws ProxyError LISTEN_FAILED */
export async function startHttpApi(
  { control: at }: Config,
  { control, env }: ServicesDeps,
): Promise<Service | undefined> {
  if (!at) return undefined
  const { createHttpApi } = await import('../../api/http/server.ts')
  const { clock, log } = env
  const api = await createHttpApi({ control, token: at.token, clock, log })
  const listening = await api.listen(at.listen)
  log.warn({}, `control API listening on ${formatAddress(listening.address)}`)
  return listening
}
