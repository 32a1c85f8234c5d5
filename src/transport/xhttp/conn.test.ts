import { describe, it } from 'vitest'
import { xhttpConfig, xhttpRig } from '../../../test/support/xhttp-rig.ts'
import { connSuite } from '../../testing/conn-suite.ts'

const options = { halfClose: false, test: { describe, it } }

for (const http2 of [false, true]) {
  for (const mode of ['packet-up', 'stream-up', 'stream-one'] as const) {
    connSuite(
      `xhttp ${mode} over HTTP/${http2 ? '2' : '1.1'}`,
      async () => {
        const rig = xhttpRig(xhttpConfig({ mode }), { http2 })
        return { ...(await rig.meet()), close: rig.close }
      },
      options,
    )
  }
}
