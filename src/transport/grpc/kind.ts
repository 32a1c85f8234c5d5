import type { StreamKind } from '../http2/model.ts'

export const kind: StreamKind = { layer: 'grpc', halfClose: 'none' }
