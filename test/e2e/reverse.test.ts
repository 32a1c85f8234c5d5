/** Portal and bridge as two instances over loopback: what a reload and a stop do to them. */
import { afterEach, describe, expect, it } from 'vitest'
import { systemEnv } from '../../src/app/instance/env.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { describeReload, reload } from '../../src/app/reload/reload.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import { silentLogger } from '../../src/core/env.ts'
import { forever } from '../../src/core/lifetime.ts'
import { type EchoServer, startEchoServer } from '../interop/rig/echo-server.ts'

const id = 'b831381d-6324-4d53-ad4f-8cda48b30811'
const domain = 'inner.example.com'
const blocked = { protocol: 'blackhole', tag: 'blocked' }

const portalFile = (portals: object[] = [{ tag: 'portal', domain }]) => ({
  reverse: { portals },
  inbounds: [{ tag: 'server', listen: '127.0.0.1', port: 0, protocol: 'vmess', settings: { clients: [{ id }] } }],
  outbounds: [blocked],
  routing: { rules: [{ inboundTag: ['server'], domain: [`full:${domain}`], outboundTag: 'portal' }] },
})

const bridgeFile = (port: number, bridges: object[] = [{ tag: 'bridge', domain }]) => ({
  reverse: { bridges },
  outbounds: [
    blocked,
    { protocol: 'freedom', tag: 'direct' },
    { protocol: 'vmess', tag: 'tunnel', settings: { vnext: [{ address: '127.0.0.1', port, users: [{ id }] }] } },
  ],
  routing: {
    rules: [
      { inboundTag: ['bridge'], domain: [`full:${domain}`], outboundTag: 'tunnel' },
      { inboundTag: ['bridge'], outboundTag: 'direct' },
    ],
  },
})

const configOf = (file: object) => {
  const { config, problems } = loadConfigValue(file)
  if (!config) throw new Error(problems.map(({ message }) => message).join('\n'))
  return config
}

/** Resolves when a line of the log has been written so often. */
function lines() {
  const seen: string[] = []
  const waiting = new Set<() => void>()
  const write = (_fields: object, message: string) => {
    seen.push(message)
    for (const look of waiting) look()
  }
  const times = (message: string, count: number) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (seen.filter((line) => line === message).length < count) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  return { env: systemEnv({ ...silentLogger, info: write }), times }
}

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(file: object) {
  const { env, times } = lines()
  const instance = new Instance(configOf(file), { env })
  closing.push(() => instance.stop(0))
  await instance.start()
  return { instance, env, times }
}

async function connected() {
  const echo = await startEchoServer()
  closing.push(() => echo.close())
  const portal = await start(portalFile())
  const bridge = await start(bridgeFile(portal.instance.listening[0]!.address.port))
  await portal.times('a bridge has connected to the portal', 1)
  return { echo, portal, bridge, port: portal.instance.listening[0]!.address.port }
}

const dial = ({ instance }: { instance: Instance }, { port }: EchoServer) =>
  instance.outbounds.get('portal')!.outbound.dial({ host: '127.0.0.1', port }, { until: forever })

async function echoed(conn: Awaited<ReturnType<typeof dial>>, text: string): Promise<string> {
  conn.write(new TextEncoder().encode(text))
  return new TextDecoder().decode((await conn.read()) ?? undefined)
}

describe('a reverse proxy', () => {
  it('shows its flows as those of the bridge', async () => {
    const { echo, portal, bridge } = await connected()
    const conn = await dial(portal, echo)
    expect(await echoed(conn, 'one')).toBe('one')
    const sessions = [...bridge.instance.flows].map(({ session }) => [session.inboundTag, session.outboundTag])
    expect(sessions).toEqual([
      ['bridge', 'tunnel'],
      ['bridge', 'direct'],
    ])
    conn.destroy()
  })

  it('is left alone by a reload that says the same of it', async () => {
    const { echo, portal, bridge, port } = await connected()
    const report = await reload(bridge.instance, configOf(bridgeFile(port)), bridge.env)
    expect(describeReload(report)).toBe('inbounds, outbounds and users are as before')
    await reload(portal.instance, configOf(portalFile()), portal.env)
    expect(await echoed(await dial(portal, echo), 'one')).toBe('one')
  })

  it('comes and goes with a reload of the bridge, and streams live on', async () => {
    const { echo, portal, bridge, port } = await connected()
    const old = await dial(portal, echo)
    expect(await echoed(old, 'one')).toBe('one')
    const gone = await reload(bridge.instance, configOf(bridgeFile(port, [])), bridge.env)
    expect(gone.inbounds.removed).toEqual(['bridge'])
    expect(await echoed(old, 'two')).toBe('two')
    old.destroy()
    const back = await reload(bridge.instance, configOf(bridgeFile(port)), bridge.env)
    expect(back.inbounds.added).toEqual(['bridge'])
    await portal.times('a bridge has connected to the portal', 2)
    expect(await echoed(await dial(portal, echo), 'three')).toBe('three')
  })

  it('comes and goes with a reload of the portal', async () => {
    const { portal } = await connected()
    const gone = await reload(portal.instance, configOf(portalFile([])), portal.env)
    expect(gone.outbounds.removed).toEqual(['portal'])
    expect(portal.instance.outbounds.get('portal')).toBeUndefined()
    await reload(portal.instance, configOf(portalFile()), portal.env)
    await portal.times('a bridge has connected to the portal', 2)
  })

  it('does not hold up the stop of either while nothing is carried', async () => {
    const { portal, bridge } = await connected()
    await portal.instance.stop(60_000)
    await bridge.instance.stop(60_000)
    expect(bridge.instance.flows.size).toBe(0)
  })

  it('lets streams end when the bridge stops, unless it is hastened', async () => {
    const { echo, portal, bridge } = await connected()
    const [first, second] = [await dial(portal, echo), await dial(portal, echo)]
    expect(await echoed(first, 'one')).toBe('one')
    expect(await echoed(second, 'one')).toBe('one')
    const stopped = bridge.instance.stop(60_000)
    expect(await echoed(first, 'two')).toBe('two')
    first.destroy()
    expect(await echoed(second, 'two')).toBe('two')
    await Promise.all([bridge.instance.stop(0), stopped])
    await expect(second.read()).rejects.toMatchObject({ code: expect.stringMatching(/^CONN_/) })
  })
})
