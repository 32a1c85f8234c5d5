import { describe, it } from 'vitest'
import { http2Pair } from '../../../test/support/http2-rig.ts'
import { connSuite } from '../../testing/conn-suite.ts'

const test = { describe, it }
connSuite('HTTP/2 stream over memory', () => http2Pair(), { halfClose: true, test })
connSuite('HTTP/2 stream over TCP', () => http2Pair({ tcp: true }), { halfClose: true, test })
connSuite('HTTP/2 stream without half-close', () => http2Pair({ kind: { layer: 'h', halfClose: 'none' } }), {
  halfClose: false,
  test,
})
