import { systemEnv } from '../../src/app/instance/env.ts'
import type { Conn } from '../../src/core/conn.ts'
import { forever } from '../../src/core/lifetime.ts'
import { udpDialer } from '../../src/net/datagrams/udp.ts'
import { udpListener } from '../../src/net/datagrams/udp-listener.ts'
import type { KcpConfig } from '../../src/settings/kcp.ts'
import { kcpCarrier } from '../../src/transport/kcp/carrier.ts'

export const kcpConfig = (over: Partial<KcpConfig> = {}): KcpConfig => ({
  mtu: 1350,
  ttiMs: 50,
  uplinkCapacity: 5,
  downlinkCapacity: 20,
  congestion: false,
  readBuffer: 2 * 1024 * 1024,
  writeBuffer: 2 * 1024 * 1024,
  masks: [{ type: 'plain' }],
  ...over,
})

const ground = {
  tcp: { dial: () => Promise.reject(new Error('mKCP needs no TCP')) },
  udp: udpDialer(),
  resolve: async () => ['127.0.0.1'],
  isOwn: () => true,
}

/**
 * Both ends of a connection over the loopback: `a` dialled, and `b` heard of it by one byte, which is read already.
 * @param dialledWith the settings of `a`, where they are not those of `b`
 */
export async function kcpPair(
  over: Partial<KcpConfig> = {},
  dialledWith = over,
): Promise<{ a: Conn; b: Conn; close(): Promise<void> }> {
  const [config, deps, carrier] = [kcpConfig(over), { env: systemEnv() }, kcpCarrier()]
  let listening: Awaited<ReturnType<ReturnType<typeof carrier.listener>['listen']>> | undefined
  const accepted = new Promise<Conn>((resolve, reject) => {
    carrier
      .listener(udpListener(), config, deps)
      .listen({ host: '127.0.0.1', port: 0 }, resolve)
      .then((opened) => {
        listening = opened
        return carrier.dialer(ground, kcpConfig(dialledWith), deps).dial(opened.address, { until: forever })
      })
      .then((dialled) => {
        a = dialled
        return dialled.write(Uint8Array.of(0))
      })
      .catch(reject)
  })
  let a: Conn | undefined
  const b = await accepted
  b.info.admitted?.()
  await b.read()
  return { a: a!, b, close: async () => listening!.close() }
}
