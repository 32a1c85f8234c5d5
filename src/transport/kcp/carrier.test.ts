import { describe, it } from 'vitest'
import { kcpPair } from '../../../test/support/kcp-pair.ts'
import { connSuite } from '../../testing/conn-suite.ts'

connSuite('mkcp over loopback', () => kcpPair(), { halfClose: false, test: { describe, it } })
connSuite('mkcp with a seed', () => kcpPair({ masks: [{ type: 'gcm', seed: 's' }, { type: 'dtls' }] }), {
  halfClose: false,
  test: { describe, it },
})
