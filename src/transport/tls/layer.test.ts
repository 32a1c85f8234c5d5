import { createHash, X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { suiteUnlessBun, waitingWrites } from '../../../test/support/runtime.ts'
import { keyPair, pem, pinOf, tlsClient, tlsServer } from '../../../test/support/tls.ts'
import type { Conn } from '../../core/conn.ts'
import { forever } from '../../core/lifetime.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import type { StreamConn } from '../../net/streams/stream-conn.ts'
import { tcpDialer, tcpListener } from '../../net/tcp.ts'
import { connSuite } from '../../testing/conn-suite.ts'
import { dialerStack, passageStack } from '../stack.ts'
import type { TlsClientOptions, TlsServerOptions } from './options.ts'

async function tlsPair(client: Partial<TlsClientOptions> = {}, server: Partial<TlsServerOptions> = {}, lending = true) {
  let accepted: (conn: Conn) => void = () => {}
  const b = new Promise<Conn>((resolve) => {
    accepted = resolve
  })
  const passage = passageStack([tlsServer(server)], (conn) => accepted(conn))
  const listening = await tcpListener({ lending }).listen({ host: '127.0.0.1', port: 0 }, passage.receive)
  try {
    const dialer = dialerStack(tcpDialer({ lending }), [tlsClient(client)])
    const a = await dialer.dial(listening.address, { until: forever })
    return { a, b: await b, close: () => listening.close() }
  } catch (error) {
    await listening.close()
    throw error
  }
}

async function connects(client: Partial<TlsClientOptions>, server: Partial<TlsServerOptions> = {}): Promise<void> {
  const { a, b, close } = await tlsPair(client, server)
  await a.write(Uint8Array.of(1))
  expect(await b.read()).toEqual(Uint8Array.of(1))
  a.destroy()
  b.destroy()
  await close()
}

const test = { describe, it }
/** Cases of connSuite in which a write waits, or one half goes on. */
const overDuplex = new RegExp(`${waitingWrites.source}|goes on for 1 MB`)

connSuite('TLS over TCP', () => tlsPair(), { halfClose: true, test })
connSuite('TLS over ordinary TCP streams', () => tlsPair({}, {}, false), { halfClose: true, test })
connSuite(
  'TLS over a Conn that is no socket',
  async () => {
    const [near, far] = memoryPair()
    let accepted: (conn: Conn) => void = () => {}
    const b = new Promise<Conn>((resolve) => {
      accepted = resolve
    })
    tlsServer().server(accepted).receive(far)
    const address = { host: 'localhost', port: 1 }
    const a = await tlsClient()
      .client({ dial: async () => near })
      .dial(address, { until: forever })
    return { a, b: await b, close: async () => {} }
  },
  { halfClose: true, test: suiteUnlessBun('back-pressure and half-close of TLS over a Duplex', overDuplex) },
)

describe('TLS client verification of the server', () => {
  it('accepts a chain to a configured authority, by name and by IP address', async () => {
    await connects({})
    await connects({ serverName: '127.0.0.1' })
    await connects({ serverName: '' }) // the destination's host, 127.0.0.1
  })

  it('refuses another name, an unknown authority and a self-signed certificate, and says so', async () => {
    await expect(tlsPair({ serverName: 'wrong.test' })).rejects.toMatchObject({
      code: 'TLS_FAILED',
      message: expect.stringContaining('not for wrong.test'),
    })
    await expect(tlsPair({ authorities: [] })).rejects.toMatchObject({
      code: 'TLS_FAILED',
      hint: expect.stringContaining('pin'),
    })
    await expect(tlsPair({}, { certificates: [keyPair('selfsigned')] })).rejects.toThrow('self-signed')
  })

  it('looks again at each certificate that it has not seen under the name', async () => {
    const client = tlsClient()
    const meets = async (certificate: string): Promise<void> => {
      const [near, far] = memoryPair()
      tlsServer({ certificates: [keyPair(certificate)] })
        .server((conn) => conn.destroy())
        .receive(far)
      const dialer = client.client({ dial: async () => near })
      const conn = await dialer.dial({ host: 'localhost', port: 1 }, { until: forever })
      conn.destroy()
    }
    await meets('server')
    await meets('server')
    await expect(meets('other')).rejects.toThrow('not for localhost')
    await expect(meets('selfsigned')).rejects.toThrow('self-signed')
    await meets('server')
  })

  it('accepts anything with allowInsecure', () =>
    connects({ allowInsecure: true, authorities: [], serverName: 'x.test' }))

  it('accepts a pinned leaf whatever its name and authority, and refuses another', async () => {
    await connects({ authorities: [], serverName: 'x.test', pinnedCertSha256: [pinOf('server')] })
    await expect(tlsPair({ pinnedCertSha256: [pinOf('other')] })).rejects.toThrow('not the pinned certificate')
  })

  it('takes a pinned authority of the chain sent, if the name fits', async () => {
    const chain = { certificates: [{ cert: pem('server.crt') + pem('ca.crt'), key: pem('server.key') }] }
    await connects({ authorities: [], pinnedCertSha256: [pinOf('ca')] }, chain)
    await expect(
      tlsPair({ authorities: [], serverName: 'x.test', pinnedCertSha256: [pinOf('ca')] }, chain),
    ).rejects.toThrow('not for x.test')
  })

  it('checks the chain hash as one more condition', async () => {
    const leaf = Buffer.from(pinOf('server'), 'hex').toString('base64')
    await connects({ pinnedChainSha256: [leaf] })
    await expect(tlsPair({ pinnedChainSha256: [Buffer.alloc(32).toString('base64')] })).rejects.toThrow('chain')
    await expect(tlsPair({ authorities: [], pinnedChainSha256: [leaf] })).rejects.toMatchObject({ code: 'TLS_FAILED' })
  })

  it('checks the public key as one more condition, and not beside the chain hash', async () => {
    const keyOf = (name: string) =>
      createHash('sha256')
        .update(new X509Certificate(pem(`${name}.crt`)).publicKey.export({ type: 'spki', format: 'der' }))
        .digest('base64')
    await connects({ pinnedPublicKeySha256: [keyOf('server')] })
    await connects({ pinnedPublicKeySha256: [keyOf('ca')] })
    await expect(tlsPair({ pinnedPublicKeySha256: [keyOf('other')] })).rejects.toThrow('the public key')
    const chain = { certificates: [{ cert: pem('server.crt') + pem('ca.crt'), key: pem('server.key') }] }
    // A chain that nobody verifies proves nothing but its first key.
    await connects({ allowInsecure: true, pinnedPublicKeySha256: [keyOf('server')] }, chain)
    const unproven = { allowInsecure: true, pinnedPublicKeySha256: [keyOf('ca')] }
    await expect(tlsPair(unproven, chain)).rejects.toThrow('the public key')
    const leaf = Buffer.from(pinOf('server'), 'hex').toString('base64')
    await connects({ pinnedChainSha256: [leaf], pinnedPublicKeySha256: [keyOf('other')] })
  })

  it('verifies other names instead of serverName where verifyNames is set', async () => {
    await connects({ serverName: 'front.test', verifyNames: ['a.test', 'localhost'] })
    await expect(tlsPair({ verifyNames: ['a.test'] })).rejects.toThrow('not for a.test')
  })

  it('says that the other side does not speak TLS', async () => {
    const listening = await tcpListener().listen({ host: '127.0.0.1', port: 0 }, (conn) => {
      void conn.write(new TextEncoder().encode('HTTP/1.1 400 Bad Request\r\n\r\n'))
    })
    const dialer = tlsClient().client(tcpDialer())
    const dial = dialer.dial(listening.address, { until: forever })
    await expect(dial).rejects.toThrow('does not speak TLS')
    await listening.close()
  })
})

describe('TLS sessions', () => {
  async function reused(client: Partial<TlsClientOptions>, server: Partial<TlsServerOptions> = client) {
    const served: Conn[] = []
    const passage = passageStack([tlsServer(server)], (conn) => served.push(conn))
    const listening = await tcpListener().listen({ host: '127.0.0.1', port: 0 }, (conn) => passage.receive(conn))
    const dialer = dialerStack(tcpDialer(), [tlsClient(client)])
    for (const turn of [1, 2]) {
      const conn = await dialer.dial(listening.address, { until: forever })
      await expect.poll(() => served.length).toBe(turn)
      // Tickets come before the first bytes.
      await served.at(-1)!.write(Uint8Array.of(turn))
      expect(await conn.read()).toEqual(Uint8Array.of(turn))
      conn.destroy()
    }
    await listening.close()
    return served.map((conn) => ((conn as StreamConn).stream as TLSSocket).isSessionReused())
  }

  it.each([
    'TLSv1.2',
    'TLSv1.3',
  ] as const)('are taken up again where both ends want it, with %s', async (maxVersion) => {
    const [first, second] = await reused({ enableSessionResumption: true, maxVersion })
    expect([first, second]).toEqual([false, true])
  })

  it('are not kept of a server that was not found good', async () => {
    const served: Conn[] = []
    const passage = tlsServer({ enableSessionResumption: true, maxVersion: 'TLSv1.2' }).server((conn) =>
      served.push(conn),
    )
    const listening = await tcpListener().listen({ host: '127.0.0.1', port: 0 }, (conn) => passage.receive(conn))
    const dialer = tlsClient({ enableSessionResumption: true, serverName: 'wrong.test' }).client(tcpDialer())
    for (const _turn of [1, 2]) {
      await expect(dialer.dial(listening.address, { until: forever })).rejects.toThrow('not for wrong.test')
    }
    for (const conn of served) conn.destroy()
    await listening.close()
  })

  it('are not otherwise', async () => {
    expect(await reused({ enableSessionResumption: false })).toEqual([false, false])
    expect(await reused({ enableSessionResumption: true }, {})).toEqual([false, false])
  })
})

describe('TLS server', () => {
  it('chooses the certificate by name, and the first one otherwise', async () => {
    const server = { certificates: [keyPair('server'), keyPair('other')] }
    await connects({ serverName: 'other.test' }, server)
    await connects({ serverName: 'localhost' }, server)
    await expect(tlsPair({ serverName: 'none.test' }, server)).rejects.toThrow('not for none.test')
  })

  it('refuses unknown names and missing names with rejectUnknownSni', async () => {
    await connects({}, { rejectUnknownSni: true })
    await expect(
      tlsPair({ serverName: 'none.test', allowInsecure: true }, { rejectUnknownSni: true }),
    ).rejects.toMatchObject({ code: 'TLS_FAILED' })
  })

  it('verifies client certificates', async () => {
    const server = { verifyClient: true, clientAuthorities: [pem('ca.crt')] }
    await connects({ certificates: [keyPair('client')] }, server)
  })

  it('keeps to the protocol versions given', async () => {
    await connects({ maxVersion: 'TLSv1.2' })
    await expect(tlsPair({ maxVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' })).rejects.toMatchObject({
      code: 'TLS_FAILED',
    })
  })
})
