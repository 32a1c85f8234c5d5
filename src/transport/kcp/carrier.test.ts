import { describe, expect, it } from 'vitest'
import { kcpConfig, kcpPair } from '../../../test/support/kcp-pair.ts'
import type { KcpMask } from '../../settings/kcp.ts'
import { connSuite } from '../../testing/conn-suite.ts'
import { fakeRandom } from '../../testing/fakes.ts'
import { spaceFor } from './space-config.ts'
import { wrappingOf } from './wrapping.ts'

// Without half-close: mKCP cannot end one half, and what peers do when they hear of an end is to drop the other.
connSuite('mkcp over loopback', () => kcpPair({ ttiMs: 10, masks: [{ type: 'gcm', seed: 's' }, { type: 'dtls' }] }), {
  halfClose: false,
  test: { describe, it },
})

describe('the room in a datagram', () => {
  it('is what the loader says', () => {
    const types = ['plain', 'srtp', 'utp', 'wechat-video', 'dtls', 'wireguard'] as const
    const masks: readonly KcpMask[] = [
      ...types.map((type) => ({ type })),
      { type: 'gcm', seed: 's' },
      { type: 'dns', domain: 'www.example.org' },
    ]
    for (const mask of masks) {
      const config = kcpConfig({ masks: [{ type: 'plain' }, mask] })
      expect(wrappingOf(config, fakeRandom(1)).sizes.payload).toBe(spaceFor(config).room)
    }
  })
})
