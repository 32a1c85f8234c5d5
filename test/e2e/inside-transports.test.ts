/** Datagrams in every encoding, and Mux.Cool with both in it, over transports of every sort: ours to ours, in this process. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Root } from '../interop/rig/configs.ts'
import { type EchoServer, startEchoServer } from '../interop/rig/echo-server.ts'
import { withPair } from '../interop/rig/pair.ts'
import { socksUdp } from '../support/socks-udp.ts'
import { pattern, udpEcho } from '../support/udp.ts'

interface Carrier {
  readonly name: string
  readonly stream: Root
  readonly tls?: boolean
}

const carriers: readonly Carrier[] = [
  { name: 'TLS', stream: {}, tls: true },
  { name: 'mKCP', stream: { network: 'kcp', kcpSettings: { header: { type: 'utp' }, seed: 'seed' } } },
  { name: 'gRPC', stream: { network: 'grpc', grpcSettings: { serviceName: 'x' } } },
  {
    name: 'gRPC, multi, over TLS',
    stream: { network: 'grpc', grpcSettings: { serviceName: 'x', multiMode: true } },
    tls: true,
  },
  { name: 'xhttp, packet-up', stream: { network: 'xhttp', xhttpSettings: { path: '/x', mode: 'packet-up' } } },
  { name: 'xhttp, stream-one', stream: { network: 'xhttp', xhttpSettings: { path: '/x', mode: 'stream-one' } } },
  { name: 'ws', stream: { network: 'ws', wsSettings: { path: '/ray' } } },
]
const encodings: Readonly<Record<string, Root>> = {
  'command 2': { packetEncoding: 'none' },
  XUDP: { packetEncoding: 'xudp' },
  packetaddr: { packetEncoding: 'packet' },
  'Mux.Cool': { mux: { enabled: true, concurrency: 8 } },
}
const sizes = [1, 512, 1_400, 1_951]

let udp: Awaited<ReturnType<typeof udpEcho>>
let tcp: EchoServer
beforeAll(async () => {
  udp = await udpEcho()
  tcp = await startEchoServer()
})
afterAll(async () => {
  udp.close()
  await tcp.close()
})

describe.each(carriers)('over $name', ({ stream, tls = false }) => {
  it.each(Object.entries(encodings))('%s', { timeout: 30_000 }, async (_, outboundExtra) => {
    const carrier = { server: stream, client: stream }
    const spec = { inside: true, client: 'ours', server: 'ours', security: 'aes-128-gcm', carrier, tls } as const
    await withPair({ ...spec, outboundExtra }, async ({ doorPort, open }) => {
      const socks = await socksUdp(doorPort)
      try {
        for (const size of sizes) {
          socks.send(pattern(size), udp)
          expect((await socks.next()).bytes, `${size} bytes`).toEqual(pattern(size))
        }
        if (!outboundExtra.mux) return
        await Promise.all(
          Array.from({ length: 4 }, async (_, at) => {
            const wire = await open({ host: '127.0.0.1', port: tcp.port })
            const bytes = Buffer.from(pattern(50_000 + at))
            const [got] = await Promise.all([wire.read(bytes.length), wire.write(bytes)])
            expect(got.equals(bytes)).toBe(true)
            wire.destroy()
          }),
        )
      } finally {
        socks.close()
      }
    })
  })
})
