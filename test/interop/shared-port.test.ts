/** One port of ours with inbounds of every sort, and the real V2Ray as the client of each. */
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { connect as dial } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { inlinePair, pemLines } from '../support/tls.ts'
import { type EchoServer, startEchoServer } from './rig/echo-server.ts'
import { freePorts, hasV2ray, startPeer, withPeers } from './rig/harness.ts'

let echo: EchoServer
let folder: string
beforeEach(async () => {
  echo = await startEchoServer()
  folder = mkdtempSync(join(tmpdir(), 'shared-'))
})
afterEach(async () => {
  rmSync(folder, { recursive: true })
  await echo.close()
})

/** Another user for each: whoever comes to the wrong inbound is turned away. */
const idOf = (i: number) => `11111111-1111-4111-8111-${String(i).padStart(12, '0')}`
const trust = { certificates: [{ certificate: pemLines('ca.crt'), usage: 'verify' }] }
const secure = (serverName: string) => ({ security: 'tls', tlsSettings: { serverName, ...trust } })
const certified = (name: string) => ({ security: 'tls', tlsSettings: { certificates: [inlinePair(name)] } })
const ws = (path: string) => ({ network: 'ws', wsSettings: { path } })
const disguised = { tcpSettings: { header: { type: 'http', request: { path: ['/c'] } } } }

/** Streams of the server, and of its client. */
const pairs: readonly (readonly [server: object, client: object])[] = [
  [{}, {}],
  [ws('/a'), ws('/a')],
  [ws('/b'), ws('/b')],
  [disguised, disguised],
  [certified('server'), secure('localhost')],
  [
    { ...ws('/a'), ...certified('server') },
    { ...ws('/a'), ...secure('localhost') },
  ],
  [
    { ...ws('/a'), ...certified('other') },
    { ...ws('/a'), ...secure('other.test') },
  ],
]

const serverConfig = (port: number) => ({
  log: { loglevel: 'warning' },
  inbounds: pairs.map(([streamSettings], i) => ({
    tag: `in${i}`,
    listen: '127.0.0.1',
    port,
    protocol: 'vmess',
    settings: { clients: [{ id: idOf(i) }] },
    streamSettings,
  })),
  outbounds: [{ protocol: 'freedom' }],
})

const clientConfig = (port: number, doors: readonly number[]) => ({
  log: { loglevel: 'warning' },
  inbounds: doors.map((door, i) => ({
    tag: `door${i}`,
    listen: '127.0.0.1',
    port: door,
    protocol: 'dokodemo-door',
    settings: { address: '127.0.0.1', port: echo.port, network: 'tcp' },
  })),
  outbounds: pairs.map(([, streamSettings], i) => ({
    tag: `out${i}`,
    protocol: 'vmess',
    settings: { vnext: [{ address: '127.0.0.1', port, users: [{ id: idOf(i), security: 'aes-128-gcm' }] }] },
    streamSettings,
  })),
  routing: { rules: doors.map((_, i) => ({ type: 'field', inboundTag: [`door${i}`], outboundTag: `out${i}` })) },
})

it.runIf(hasV2ray)('V2Ray reaches each of seven inbounds on one port', async () => {
  const [port, ...doors] = (await freePorts(1 + pairs.length)) as [number, ...number[]]
  const server = await startPeer('ours', serverConfig(port), { ports: [port] })
  const client = await startPeer('v2ray', clientConfig(port, doors), { ports: doors })
  await withPeers([server, client], async () => {
    for (const door of doors) {
      const socket = dial(door, '127.0.0.1')
      socket.write('hello')
      expect(await once(socket, 'data')).toEqual([Buffer.from('hello')])
      socket.destroy()
    }
  })
})

it('a certificate replaced on disk is served to new connections, and an old one lives on', async () => {
  const put = (name: string): void => {
    for (const part of ['crt', 'key']) {
      copyFileSync(new URL(`../fixtures/tls/${name}.${part}`, import.meta.url), join(folder, `new.${part}`))
      renameSync(join(folder, `new.${part}`), join(folder, `live.${part}`))
    }
  }
  put('server')
  const [port] = (await freePorts(1)) as [number]
  const [certificateFile, keyFile] = [join(folder, 'live.crt'), join(folder, 'live.key')]
  const inbound = {
    listen: '127.0.0.1',
    port,
    protocol: 'socks',
    streamSettings: { security: 'tls', tlsSettings: { certificates: [{ certificateFile, keyFile }] } },
  }
  const shake = async (): Promise<TLSSocket> => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    return socket
  }
  const server = await startPeer(
    'ours',
    { inbounds: [inbound], outbounds: [{ protocol: 'freedom' }] },
    { ports: [port] },
  )
  await withPeers([server], async () => {
    const old = await shake()
    put('other')
    await expect
      .poll(
        async () => {
          const socket = await shake()
          const { subjectaltname } = socket.getPeerCertificate()
          socket.destroy()
          return subjectaltname
        },
        { interval: 100, timeout: 5_000 },
      )
      .toBe('DNS:other.test')
    old.write(Uint8Array.of(5, 1, 0))
    expect(await once(old, 'data')).toEqual([Buffer.of(5, 0)])
    old.destroy()
  })
})
