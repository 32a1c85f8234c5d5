/** The measuring tools themselves: they pass honest traffic, with no program of ours in it, and notice what is wrong. */

import { connect, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasV2ray } from './rig/harness.ts'
import { withPair } from './rig/pair.ts'
import { checkTraffic, type Open } from './rig/traffic.ts'
import { Wire } from './rig/wire.ts'
import { startTarget, type Target } from './target.ts'

let target: Target
beforeAll(async () => {
  target = await startTarget()
})
afterAll(() => target.close())

const small = { bulkBytes: 300_000, rounds: 40, connections: 5 }

const openPort =
  (port: number, stallMs?: number): Open =>
  async (name) => {
    const wire = new Wire(connect({ host: '127.0.0.1', port, allowHalfOpen: true }), name, stallMs)
    await wire.connected()
    return wire
  }

/** A relay to the target that passes the target's bytes through `spoil`. */
async function withRelay<T>(
  spoil: (bytes: Buffer, offset: number) => Buffer,
  body: (port: number) => Promise<T>,
): Promise<T> {
  const server: Server = createServer((near) => {
    const far = connect({ host: target.host, port: target.port })
    let offset = 0
    far.on('data', (bytes) => {
      near.write(spoil(bytes, offset))
      offset += bytes.length
    })
    near.pipe(far)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve))
  try {
    return await body((server.address() as { port: number }).port)
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

describe('the traffic check', () => {
  it('passes without a proxy', () => checkTraffic(openPort(target.port), small))

  it('names the byte that was changed on the way', async () => {
    const flip = (bytes: Buffer, offset: number) => {
      const at = 123_456 - offset
      if (at >= 0 && at < bytes.length) bytes[at]! ^= 1
      return bytes
    }
    await withRelay(flip, (port) => expect(checkTraffic(openPort(port), small)).rejects.toThrow(/down: byte 123456 is/))
  })

  it('notices bytes that never arrive', async () => {
    const dropLast = (bytes: Buffer, offset: number) => bytes.subarray(0, Math.max(0, 299_990 - offset))
    await withRelay(dropLast, (port) =>
      expect(checkTraffic(openPort(port, 300), small)).rejects.toThrow(/stalled|closed|ended/),
    )
  })

  it.runIf(hasV2ray)('passes from V2Ray to V2Ray', () =>
    withPair({ client: 'v2ray', server: 'v2ray', security: 'aes-128-gcm' }, (pair) =>
      checkTraffic((name) => pair.open(target, { name })),
    ),
  )

  it.runIf(hasV2ray)('passes from V2Ray to V2Ray over TLS, with the legacy header', () =>
    withPair({ client: 'v2ray', server: 'v2ray', security: 'chacha20-poly1305', alterId: 16, tls: true }, (pair) =>
      checkTraffic((name) => pair.open(target, { name })),
    ),
  )

  it.runIf(hasV2ray)('shows the logs of both proxies when a check fails', () =>
    expect(
      withPair({ client: 'v2ray', server: 'v2ray' }, async () => {
        throw new Error('on purpose')
      }),
    ).rejects.toThrow(/on purpose.*log of server \(v2ray\).*log of client \(v2ray\).*V2Ray 4/s),
  )
})
