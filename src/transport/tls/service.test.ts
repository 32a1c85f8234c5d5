import { once } from 'node:events'
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { unlessBun } from '../../../test/support/runtime.ts'
import { keyPair, pem, serverDeps, serverOptions, tlsServer } from '../../../test/support/tls.ts'
import type { Conn } from '../../core/conn.ts'
import { silentLogger } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { tcpListener } from '../../net/tcp.ts'
import type { TlsServerConfig } from '../../settings/model.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { tlsServerSource } from './certificates/files.ts'
import { tlsServerLayer } from './layer.ts'
import type { TlsServerDeps } from './server.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function listen(layer: ReturnType<typeof tlsServer>) {
  const served: Conn[] = []
  const passage = layer.server((conn) => served.push(conn))
  const listening = await tcpListener().listen({ host: '127.0.0.1', port: 0 }, (carrier) => passage.receive(carrier))
  closing.push(
    () => passage.close(),
    () => listening.close(),
    () => served.map((conn) => conn.destroy()),
  )
  const shake = async (servername: string, more: ConnectionOptions = {}, watch = (_: TLSSocket): unknown => _) => {
    const options = { host: '127.0.0.1', port: listening.address.port, servername, rejectUnauthorized: false, ...more }
    const socket = connect(options)
    closing.push(() => socket.destroy())
    watch(socket)
    await once(socket, 'secureConnect')
    return socket
  }
  return { served, passage, shake }
}

const nameIn = (socket: TLSSocket): string | undefined => socket.getPeerCertificate().subjectaltname

function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'))
  closing.push(() => rmSync(folder, { recursive: true }))
  return folder
}

describe('a certificate that was replaced on disk', () => {
  async function rig() {
    const folder = tempFolder()
    const clock = fakeClock(0)
    const warned: string[] = []
    const log = { ...silentLogger, warn: (_: object, text: string) => warned.push(text) }
    const put = (file: string, text: string) => writeFileSync(join(folder, file), text)
    const use = (name: string) => {
      put('crt', pem(`${name}.crt`))
      put('key', pem(`${name}.key`))
    }
    use('server')
    const at = { at: '', file: '', line: 0, column: 0 }
    const cert = { path: join(folder, 'crt'), ...at }
    const key = { path: join(folder, 'key'), ...at }
    const certificates = [{ cert, key, ocspStaplingS: 0 }]
    const config: TlsServerConfig = {
      ...serverOptions(),
      authorities: [],
      clientAuthorities: [],
      issuers: [],
      certificates,
    }
    const layer = tlsServerLayer(
      tlsServerSource(config, (path) => readFileSync(path, 'utf8')),
      serverDeps({ clock, log }),
    )
    const { shake, served } = await listen(layer)
    const later = (servername: string) => {
      clock.advance(limits.fileLookEveryMs)
      return shake(servername)
    }
    return { folder, put, use, shake, later, served, warned, layer }
  }

  it('is served to new connections, and old ones live on', async () => {
    const { use, shake, later, served, layer } = await rig()
    const old = await shake('localhost')
    expect(nameIn(old)).toContain('DNS:localhost')
    expect(layer.names()).toEqual(['localhost'])
    use('other')
    expect(nameIn(await later('other.test'))).toBe('DNS:other.test')
    expect(layer.names()).toEqual(['other.test'])
    await served[0]!.write(Uint8Array.of(1))
    expect(await once(old, 'data')).toEqual([Buffer.of(1)])
  })

  it('is not served before it is whole and has its key, and that is told', async () => {
    const { put, later, warned } = await rig()
    put('crt', pem('other.crt').slice(0, 300))
    expect(nameIn(await later('localhost'))).toContain('DNS:localhost')
    put('crt', pem('other.crt'))
    expect(nameIn(await later('localhost'))).toContain('DNS:localhost')
    expect(nameIn(await later('localhost'))).toContain('DNS:localhost')
    expect(warned).toEqual([expect.stringContaining('is not the private key of that certificate')])
    put('key', pem('other.key'))
    expect(nameIn(await later('other.test'))).toBe('DNS:other.test')
  })

  it('may have been swapped by a symbolic link', async () => {
    const { folder, later } = await rig()
    for (const part of ['crt', 'key']) {
      writeFileSync(join(folder, `new-${part}`), pem(`other.${part}`))
      symlinkSync(`new-${part}`, join(folder, `link-${part}`))
      renameSync(join(folder, `link-${part}`), join(folder, part))
    }
    expect(nameIn(await later('other.test'))).toBe('DNS:other.test')
  })

  it('is looked for while clients wait, who count and can leave', async () => {
    const clock = fakeClock(0)
    const layer = tlsServerLayer({ load: serverOptions, paths: [join(tempFolder(), 'none')] }, serverDeps({ clock }))
    const { passage } = await listen(layer)
    clock.advance(limits.fileLookEveryMs)
    const carriers = [memoryPair()[1], memoryPair()[1]] as const
    for (const carrier of carriers) passage.receive(carrier)
    carriers[0].destroy()
    expect(passage.pending).toBe(2)
    passage.close()
    expect([passage.pending, carriers[1].gone === undefined]).toEqual([0, false])
    await expect.poll(() => clock.pending).toBe(0)
    expect(passage.pending).toBe(0)
  })
})

describe('an authority that issues certificates', () => {
  const issuing = (options = {}, deps: Partial<TlsServerDeps> = {}) => {
    const issuers = [{ ...keyPair('ca'), buildChain: true }]
    return listen(tlsServer({ certificates: [], issuers, ...options }, { clock: fakeClock(Date.now()), ...deps }))
  }

  it('signs one for the name that a client asks for', async () => {
    const { shake } = await issuing()
    const socket = await shake('some.test', { rejectUnauthorized: true, ca: pem('ca.crt') })
    expect(nameIn(socket)).toBe('DNS:some.test')
    expect(socket.getPeerCertificate(true).issuerCertificate.subject.CN).toBe('vmess test authority')
  })

  it('signs one for who asks for none', async () => {
    const { shake } = await issuing()
    expect(nameIn(await shake(''))).toBe('DNS:localhost')
    const named = await issuing({ serverName: 'front.test' })
    expect(nameIn(await named.shake(''))).toBe('DNS:front.test')
  })

  it('stands behind the certificates that there are', async () => {
    const { shake } = await issuing({ certificates: [keyPair('other')] })
    expect((await shake('other.test')).getPeerCertificate().serialNumber).toBe(
      (await shake('')).getPeerCertificate().serialNumber,
    )
    expect(nameIn(await shake('some.test'))).toBe('DNS:some.test')
  })

  it('turns away who asks for what is no name', async () => {
    const errors: string[] = []
    const { shake } = await issuing({}, { onError: (_remote, { message }) => errors.push(message) })
    await expect(shake('a b')).rejects.toThrow()
    expect(errors).toEqual([expect.stringContaining('what is no name')])
  })
})

unlessBun('no OCSP stapling')('sends an OCSP answer along', async () => {
  const answer = readFileSync(new URL('../../../test/fixtures/tls/ocsp-good.der', import.meta.url))
  const certificates = [{ ...keyPair('stapled'), ocspStaplingS: 60 }]
  const deps = { clock: fakeClock(Date.parse('2027-01-01')), post: async () => new Uint8Array(answer) }
  const { shake } = await listen(tlsServer({ certificates }, deps))
  const stapled = async (): Promise<Buffer | null> => {
    let given: Buffer | null = null
    await shake('stapled.test', { requestOCSP: true } as ConnectionOptions, (socket) =>
      socket.on('OCSPResponse', (response: Buffer) => {
        given = response
      }),
    )
    return given
  }
  await stapled()
  await expect.poll(stapled).toEqual(answer)
  // Who does not ask gets none, and a handshake all the same.
  expect(nameIn(await shake('stapled.test'))).toBe('DNS:stapled.test')
})

it('appends the keys of connections to a file where that is asked for', async () => {
  const masterKeyLog = join(tempFolder(), 'keys')
  const { shake } = await listen(tlsServer({ masterKeyLog }))
  await shake('localhost')
  await expect.poll(() => readFileSync(masterKeyLog, 'utf8')).toMatch(/^SERVER_TRAFFIC_SECRET_0 [0-9a-f]{64} /m)
})

it('tells once when keys cannot be written, and serves all the same', async () => {
  const warned: string[] = []
  const log = { ...silentLogger, warn: (_: object, text: string) => warned.push(text) }
  const { shake } = await listen(tlsServer({ masterKeyLog: join(tempFolder(), 'none', 'keys') }, { log }))
  await shake('localhost')
  await shake('localhost')
  await expect.poll(() => warned).toEqual([expect.stringContaining('"masterKeyLog": ENOENT')])
})
