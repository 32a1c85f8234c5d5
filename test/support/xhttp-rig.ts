import type { Conn } from '../../src/core/conn.ts'
import type { Dialer, Layer, Passage } from '../../src/core/dialer.ts'
import { forever } from '../../src/core/lifetime.ts'
import { deferred } from '../../src/core/time/deferred.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { ConnDuplex } from '../../src/net/streams/duplex.ts'
import { StreamConn } from '../../src/net/streams/stream-conn.ts'
import type { XhttpConfig, XhttpShape } from '../../src/settings/xhttp.ts'
import type { UpgradeDeps } from '../../src/transport/upgrade/model.ts'
import { xhttpLayer } from '../../src/transport/xhttp/layer.ts'
import { type LayerRig, layerRig, serverAddress } from './layer-pair.ts'

const none = { from: 0, to: 0 }

/** What the loader makes of `{ "path": "/x" }`, but that posts wait for nothing. */
export function xhttpConfig(
  shape: Partial<XhttpShape> = {},
  over: Partial<Omit<XhttpConfig, 'shape'>> = {},
): XhttpConfig {
  return {
    shape: {
      base: '/x/',
      query: '',
      mode: 'auto',
      session: { at: 'path', key: '' },
      seq: { at: 'path', key: '' },
      data: { at: 'auto', key: 'X-Data', chunk: { from: 3_000, to: 4_000 } },
      padding: { bytes: { from: 100, to: 1_000 }, method: 'repeat-x' },
      method: 'POST',
      ...shape,
    },
    host: '',
    servedHost: '',
    headers: {},
    ids: { table: '', length: none },
    postBytes: { from: 1_000_000, to: 1_000_000 },
    postsIntervalMs: none,
    maxBufferedPosts: 30,
    streamUpServerSecs: { from: 20, to: 80 },
    maxHeaderBytes: 0,
    forwarded: true,
    noGrpcHeader: false,
    noSseHeader: false,
    xmux: {
      maxConcurrency: none,
      maxConnections: { from: 3, to: 3 },
      cMaxReuseTimes: none,
      hMaxRequestTimes: { from: 600, to: 900 },
      hMaxReusableSecs: { from: 1_800, to: 3_000 },
      keepAliveMs: 45_000,
    },
    ...over,
  }
}

export interface XhttpRig extends LayerRig {
  readonly passage: Passage
  /** Dials carriers of which the other end goes to the server. */
  readonly base: Dialer
  readonly carriers: Conn[]
  readonly served: Conn[]
  /** Opens a connection and gives both ends. */
  meet(): Promise<{ a: Conn; b: Conn }>
  close(): Promise<void>
}

/** A client and a server of xhttp; with `http2` their carriers say that they have agreed on it. */
export function xhttpRig(
  config: XhttpConfig = xhttpConfig(),
  {
    http2 = false,
    server = config,
    deps,
  }: { readonly http2?: boolean; readonly server?: XhttpConfig; readonly deps?: Partial<UpgradeDeps> } = {},
): XhttpRig {
  const rig = layerRig({ secure: http2, ...deps })
  const served: Conn[] = []
  const carriers: Conn[] = []
  let waiting: ((conn: Conn) => void)[] = []
  const layer: Layer = xhttpLayer(config, rig.deps)
  const passage = xhttpLayer(server, rig.deps).server((conn) => {
    served.push(conn)
    waiting.shift()?.(conn)
  })
  const base: Dialer = {
    async dial() {
      const [near, far] = memoryPair()
      carriers.push(near)
      passage.receive(http2 ? agreed(far) : far)
      return http2 ? agreed(near) : near
    },
  }
  const client = layer.client(base)
  return {
    ...rig,
    passage,
    base,
    carriers,
    served,
    async meet() {
      const accepted = deferred<Conn>()
      waiting.push(accepted.resolve)
      const a = await client.dial(serverAddress, { until: forever })
      return { a, b: await accepted.promise }
    },
    async close() {
      waiting = []
      passage.close()
      for (const carrier of carriers) carrier.destroy()
    },
  }
}

const agreed = (conn: Conn): Conn =>
  new StreamConn(Object.assign(new ConnDuplex(conn), { alpnProtocol: 'h2' }), conn.info)

/** What comes, until it matches. */
export async function readUntil(conn: Conn, pattern: RegExp): Promise<string> {
  let text = ''
  while (!pattern.test(text)) {
    const bytes = await conn.read().catch(() => null)
    if (!bytes) break
    text += Buffer.from(bytes).toString('latin1')
  }
  return text
}

/** Whether a promise is settled when everything that can happen has happened. */
export async function settled(promise: Promise<unknown>): Promise<boolean> {
  let over = false
  const settle = (): void => {
    over = true
  }
  promise.then(settle, settle)
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  return over
}

/** All that a stranger is told who says one thing and ends. */
export async function strangerAnswer(rig: XhttpRig, text: string): Promise<string> {
  const [near, far] = memoryPair()
  rig.passage.receive(far)
  await near.write(Buffer.from(text, 'latin1'))
  await near.closeWrite()
  return readUntil(near, /(?!)/)
}
