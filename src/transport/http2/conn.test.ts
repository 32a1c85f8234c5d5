import { describe, it } from 'vitest'
import { http2Pair } from '../../../test/support/http2-rig.ts'
import { connSuite } from '../../testing/conn-suite.ts'

const test = { describe, it }
connSuite('HTTP/2 stream over memory', () => http2Pair(), { halfClose: true, test })
