import { describe, it } from 'vitest'
import { connSuite } from '../../src/testing/conn-suite.ts'
import { suiteUnlessBun, waitingWrites } from './runtime.ts'
import { xhttpConfig, xhttpRig } from './xhttp-rig.ts'

/** The promises of a connection, in every mode. */
export function xhttpSuite(http2: boolean): void {
  for (const mode of ['packet-up', 'stream-up', 'stream-one'] as const) {
    connSuite(
      `xhttp ${mode} over HTTP/${http2 ? '2' : '1.1'}`,
      async () => {
        const rig = xhttpRig(xhttpConfig({ mode }), { http2 })
        return { ...(await rig.meet()), close: rig.close }
      },
      {
        halfClose: false,
        test: http2 ? suiteUnlessBun('no back-pressure in node:http2', waitingWrites) : { describe, it },
      },
    )
  }
}
