/** Name servers over HTTP/2 and TLS, as the command asks them: one connection, certificates, a server that dies and comes back. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import dnsPacket from 'dns-packet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort, Program } from '../cli/program.ts'

const file = (name: string): string => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url))
const pair = (name: string) => ({ cert: readFileSync(file(`${name}.crt`)), key: readFileSync(file(`${name}.key`)) })

let target: Server
let closing: (() => unknown)[]
beforeEach(async () => {
  closing = []
  target = createServer((socket) => socket.on('error', () => {}).end('reached')).listen(0, '127.0.0.1')
  await once(target, 'listening')
  closing.push(() => target.close())
})
afterEach(() => {
  for (const close of closing) close()
})

/** A name server whose names are all at the target. */
class NameServer {
  readonly asked: string[] = []
  readonly sessions: ServerHttp2Session[] = []
  readonly #server: Http2SecureServer

  constructor(certificate: string) {
    this.#server = createSecureServer(pair(certificate))
    this.#server.on('session', (session) => this.sessions.push(session))
    this.#server.on('stream', (stream) => {
      const parts: Buffer[] = []
      stream.on('error', () => {}).on('data', (bytes: Buffer) => parts.push(bytes))
      stream.on('end', () => {
        const { name, type } = dnsPacket.decode(Buffer.concat(parts)).questions![0]!
        this.asked.push(`${name} ${type}`)
        const answer = type === 'A' ? { type, name, ttl: 30, data: '127.0.0.1' } : undefined
        stream.respond({ ':status': 200, 'content-type': 'application/dns-message' })
        stream.end(
          dnsPacket.encode({
            type: 'response',
            id: 0,
            questions: [{ name, type }],
            answers: answer ? [answer as dnsPacket.Answer] : [],
          }),
        )
      })
    })
    closing.push(() => this.stop())
  }

  async listen(port = 0): Promise<number> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  /** Once it is gone for everybody. */
  async stop(): Promise<void> {
    for (const session of this.sessions) session.destroy()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** The command with such a name server; `fetch` reaches the target by a name and gives what it says, or `''`. */
async function started(scheme: string, dnsPort: number) {
  const port = await freePort()
  const config = {
    log: { loglevel: 'info' },
    dns: { servers: [`${scheme}://127.0.0.1:${dnsPort}/dns-query`] },
    inbounds: [{ protocol: 'socks', listen: '127.0.0.1', port }],
    outbounds: [{ protocol: 'freedom', settings: { domainStrategy: 'ForceIP' } }],
  }
  const program = new Program(['run', '-c', 'stdin:'], {
    input: JSON.stringify(config),
    env: { NODE_EXTRA_CA_CERTS: file('ca.crt') },
  })
  await program.prints(/listening/i)
  const fetch = async (name: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    const request = Buffer.alloc(7 + name.length)
    request.set([5, 1, 0, 3, name.length])
    request.write(name, 5, 'latin1')
    request.writeUInt16BE((target.address() as AddressInfo).port, 5 + name.length)
    socket.write(Buffer.concat([Buffer.of(5, 1, 0), request]))
    let said = ''
    socket.setEncoding('latin1').on('data', (text) => {
      said += text
    })
    await once(socket, 'close')
    return said.slice(12)
  }
  return { program, fetch }
}

describe.each(['https', 'https+local'])('%s name servers', (scheme) => {
  it('are asked for both families over one connection, and again when they come back', async () => {
    const first = new NameServer('server')
    const dnsPort = await first.listen()
    const { program, fetch } = await started(scheme, dnsPort)
    expect(await fetch('a.test')).toBe('reached')
    expect(await fetch('b.test')).toBe('reached')
    expect(first.asked.sort()).toEqual(['a.test A', 'a.test AAAA', 'b.test A', 'b.test AAAA'])
    expect(first.sessions).toHaveLength(1)

    await first.stop()
    expect(await fetch('c.test')).toBe('')
    await program.prints(/c\.test has no address that ForceIP allows: cannot resolve c\.test: .*refused/)
    const second = new NameServer('server')
    await second.listen(dnsPort)
    expect(await fetch('d.test')).toBe('reached')
    expect(second.sessions).toHaveLength(1)
    expect((await program.stop()).code).toBe(0)
  })

  it.each([
    [
      'selfsigned',
      /cannot resolve a\.test: name server 127\.0\.0\.1:\d+: TLS handshake failed: self-signed certificate/,
    ],
    ['other', /TLS handshake failed: .*127\.0\.0\.1 is not in the cert's list/],
  ])('are refused with the certificate "%s"', async (certificate, line) => {
    const server = new NameServer(certificate)
    const { program, fetch } = await started(scheme, await server.listen())
    expect(await fetch('a.test')).toBe('')
    await program.prints(line)
    expect(server.asked).toEqual([])
  })
})
