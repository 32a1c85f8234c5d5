import { http2Pair } from '../../../test/support/http2-rig.ts'
import { suiteUnlessBun, waitingWrites } from '../../../test/support/runtime.ts'
import { connSuite } from '../../testing/conn-suite.ts'

connSuite('HTTP/2 stream over memory', () => http2Pair(), {
  halfClose: true,
  test: suiteUnlessBun('no back-pressure in node:http2', waitingWrites),
})
