import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { failedHandshakes, failHandshake } from '../../../test/support/failed-handshakes.ts'
import { unlessBun } from '../../../test/support/runtime.ts'
import { keyPair, pem, tlsServer } from '../../../test/support/tls.ts'
import type { Conn } from '../../core/conn.ts'
import type { Passage } from '../../core/dialer.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { tcpListener } from '../../net/tcp.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { passageStack } from '../stack.ts'
import type { TlsServerOptions } from './options.ts'
import type { TlsServerDeps } from './server.ts'

const handshakeTimeoutMs = 60_000

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function rig(changes: Partial<TlsServerOptions> = {}) {
  const clock = fakeClock(0)
  const served: Conn[] = []
  const errors: string[] = []
  const carriers: Conn[] = []
  const onError: TlsServerDeps['onError'] = (_remote, { code, message }) => errors.push(`${code} ${message}`)
  const layer = tlsServer(changes, { clock, handshakeTimeoutMs, onError })
  const passage: Passage = passageStack([layer], (conn) => served.push(conn))
  const listening = await tcpListener().listen({ host: '127.0.0.1', port: 0 }, (carrier) => {
    carriers.push(carrier)
    passage.receive(carrier)
  })
  closing.push(() => listening.close(), ...served.map((conn) => () => conn.destroy()))
  return { clock, served, errors, carriers, passage, to: listening.address }
}

const descriptors = (): number => readdirSync('/proc/self/fd').length

/** A client that shakes hands, with what became of it. */
async function shake(port: number, more: ConnectionOptions = {}): Promise<'refused' | 'served'> {
  const socket = connectTls({ host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false, ...more })
  closing.push(() => socket.destroy())
  let answered = false
  socket
    .on('error', () => {})
    .on('data', () => {
      answered = true
      socket.destroy()
    })
  socket.write('?')
  await new Promise((resolve) => socket.on('close', resolve))
  return answered ? 'served' : 'refused'
}

describe('a TLS handshake that fails', () => {
  it.each(failedHandshakes)('frees its socket and is told once: %s', async (name, failure) => {
    const { clock, served, errors, carriers, passage, to } = await rig()
    const before = descriptors()
    const count = 5
    const gone = Promise.all(Array.from({ length: count }, () => failHandshake(failure, to)))
    if (name === 'silence') {
      await expect.poll(() => passage.pending).toBe(count)
      clock.advance(handshakeTimeoutMs)
    }
    await gone
    await expect.poll(() => errors.length).toBe(count)
    await expect.poll(descriptors).toBe(before)
    expect(served).toEqual([])
    expect([passage.pending, clock.pending]).toEqual([0, 0])
    expect(carriers.every((carrier) => carrier.gone !== undefined)).toBe(true)
    expect(errors.every((error) => error.startsWith(name === 'silence' ? 'HANDSHAKE_TIMEOUT' : 'TLS_FAILED'))).toBe(
      true,
    )
  })

  it('counts while it lasts, and is cut without a word when the passage closes', async () => {
    const { passage, errors, clock, to } = await rig()
    const sockets: Socket[] = Array.from({ length: 3 }, () => connect(to.port, to.host).resume())
    await expect.poll(() => passage.pending).toBe(3)
    passage.close()
    expect([passage.pending, clock.pending]).toEqual([0, 0])
    await Promise.all(sockets.map((socket) => once(socket, 'close')))
    expect(errors).toEqual([])
  })

  it('does not begin on a carrier that is gone already', async () => {
    const { passage, clock } = await rig()
    const [near] = memoryPair()
    near.destroy()
    passage.receive(near)
    expect([passage.pending, clock.pending]).toEqual([0, 0])
  })

  it('destroys a carrier that is no socket, too', async () => {
    const { passage, clock, errors } = await rig()
    const [near, far] = memoryPair()
    passage.receive(far)
    await near.write(new TextEncoder().encode('GET / HTTP/1.1'))
    await expect.poll(() => errors.length).toBe(1)
    expect(far.gone).toBeDefined()
    expect([passage.pending, clock.pending]).toEqual([0, 0])
  })
})

describe('the verdict on a client', () => {
  const answer = ({ served }: { served: Conn[] }) => {
    const timer = setInterval(() => {
      for (const conn of served.splice(0)) void conn.write(Uint8Array.of(33))
    }, 1)
    closing.push(() => clearInterval(timer))
  }

  it.each([
    ['without a certificate', {}, 'refused'],
    ['with a certificate of another authority', keyPair('selfsigned'), 'refused'],
    ['with a certificate of the authority', keyPair('client'), 'served'],
  ] as const)('%s', async (_what, own, verdict) => {
    const server = await rig({ verifyClient: true, clientAuthorities: [pem('ca.crt')] })
    answer(server)
    expect(await shake(server.to.port, own)).toBe(verdict)
    expect(await shake(server.to.port, { ...own, maxVersion: 'TLSv1.2' })).toBe(verdict)
    expect(server.errors.length).toBe(verdict === 'served' ? 0 : 2)
  })

  it('that asks for no name, where names are a must', async () => {
    const server = await rig({ rejectUnknownSni: true })
    answer(server)
    expect(await shake(server.to.port, { servername: '' })).toBe('refused')
    expect(await shake(server.to.port, { servername: 'nobody.test' })).toBe('refused')
    expect(await shake(server.to.port)).toBe('served')
    expect(server.errors[0]).toContain('no name')
    expect(server.errors[1]).toContain('no certificate for nobody.test')
  })
})

unlessBun('OpenSSL’s reason')('ends a connection whose bytes are no TLS any more', async () => {
  const { served, to } = await rig()
  const raw = connect(to.port, to.host)
  const client = connectTls({ socket: raw, servername: 'localhost', rejectUnauthorized: false }).on('error', () => {})
  await expect.poll(() => served.length).toBe(1)
  const read = served[0]!.read()
  raw.write(Buffer.alloc(100, 0x17))
  await expect(read).rejects.toThrow('wrong version number')
  expect(served[0]!.gone).toBeDefined()
  client.destroy()
})
