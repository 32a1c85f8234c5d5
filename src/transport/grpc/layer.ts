import type { Layer } from '../../core/dialer.ts'
import type { GrpcConfig } from '../../settings/http2.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { grpcClient } from './client.ts'
import { grpcServer } from './server.ts'

/** A stream as a gRPC call, in the modes gun (Tun) and multi (TunMulti). */
export const grpcLayer = (config: GrpcConfig, deps: UpgradeDeps): Layer => ({
  name: 'grpc',
  client: grpcClient(config, deps),
  server: grpcServer(config, deps),
})
