import type { Conn } from '../../src/core/conn.ts'
import type { Dialer, Layer } from '../../src/core/dialer.ts'
import { type Env, silentLogger } from '../../src/core/env.ts'
import type { ProxyError } from '../../src/core/errors.ts'
import { forever } from '../../src/core/lifetime.ts'
import { deferred } from '../../src/core/time/deferred.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { type FakeClock, fakeClock, fakeRandom } from '../../src/testing/fakes.ts'
import type { UpgradeDeps } from '../../src/transport/upgrade/model.ts'
import { plainSite } from '../../src/transport/website/plain.ts'

export interface LayerRig {
  readonly deps: UpgradeDeps
  readonly clock: FakeClock
  /** Why clients were turned away. */
  readonly failures: ProxyError[]
}

export function layerRig(over: Partial<UpgradeDeps> = {}): LayerRig {
  const clock = fakeClock(1_700_000_000_000)
  const failures: ProxyError[] = []
  const env: Env = { clock, random: fakeRandom(5), log: silentLogger }
  const deps: UpgradeDeps = {
    env,
    secure: false,
    serverName: '',
    handshakeTimeoutMs: 60_000,
    website: plainSite,
    trust: { networks: [], unix: false, headers: [] },
    onClientAddress: () => {},
    onAdmitted: () => {},
    onFailedHandshake: (_, error) => failures.push(error),
    ...over,
  }
  return { deps, clock, failures }
}

/** Always the same connection. */
export const dialerTo = (conn: Conn): Dialer => ({ dial: async () => conn })

export const serverAddress = { host: 'proxy.example', port: 8080 }

/** A client and a server that have met through a layer over a memory pair; `first` travels with the meeting. */
export async function meet(layer: Layer, first?: Uint8Array): Promise<{ a: Conn; b: Conn }> {
  const [near, far] = memoryPair()
  const accepted = deferred<Conn>()
  layer.server((conn) => accepted.resolve(conn)).receive(far)
  const a = await layer.client(dialerTo(near)).dial(serverAddress, { until: forever })
  const [b] = await Promise.all([accepted.promise, first && a.write(first)])
  return { a, b }
}

/** What a bare client is told, until it is let in. */
export async function answerOf(layer: Layer, ...requests: readonly string[]): Promise<string> {
  const [near, far] = memoryPair()
  layer.server(() => {}).receive(far)
  for (const request of requests) await near.write(Buffer.from(request, 'latin1'))
  await near.closeWrite()
  let text = ''
  while (!text.includes(' 101 ')) {
    const bytes = await near.read().catch(() => null)
    if (!bytes) break
    text += Buffer.from(bytes).toString('latin1')
  }
  return text
}

/** What a client sends to open a connection, before there is an answer. */
export async function requestOf(layer: Layer, first?: Uint8Array, to = serverAddress): Promise<string> {
  const [near, far] = memoryPair()
  const dialling = layer.client(dialerTo(near)).dial(to, { until: forever })
  dialling.then(
    (conn) => first && Promise.resolve(conn.write(first)).catch(() => {}),
    () => {},
  )
  const text = Buffer.from((await far.read()) ?? []).toString('latin1')
  far.destroy()
  await dialling.catch(() => {})
  return text
}
