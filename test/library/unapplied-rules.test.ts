import { connect as connectTcp, createServer as createTcpServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { type ConfigError, createServer } from '../../src/index.ts'

const proxy = (port = 0) => ({ tag: 'in', listen: '127.0.0.1', port, protocol: 'http' as const })
const ways = [
  { tag: 'direct', protocol: 'freedom' as const },
  { tag: 'blocked', protocol: 'blackhole' as const },
]
const routing = { rules: [{ ip: ['geoip:private'], outboundTag: 'blocked' }] }

describe('createServer with a rule that protects', () => {
  it('throws, and says what would be reachable', () => {
    const start = () => createServer({ inbounds: [proxy()], outbounds: ways, routing })
    expect(start).toThrow('what it blocks would be reachable')
    try {
      start()
    } catch (error) {
      expect((error as ConfigError).problems.map(({ code }) => code)).toEqual(['CFG124'])
    }
  })

  it('starts where the configuration says that this is all right, and tells the problem', async () => {
    const server = createServer({ inbounds: [proxy()], outbounds: ways, routing, allowUnappliedRules: true })
    expect(server.problems.map(({ code, severity }) => `${severity} ${code}`)).toEqual(['warning CFG124'])
    await server.listen()
    await server.close(0)
  })
})

it('runs inbounds that share a tag, and takes the first outbound of a tag for the default', async () => {
  const target = createTcpServer((socket) => socket.end('here'))
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  const { port } = target.address() as { port: number }
  const outbounds = ways.map((way) => ({ ...way, tag: 'out' }))
  const server = createServer({ inbounds: [proxy(), proxy()], outbounds })
  try {
    const listening = await server.listen()
    expect(listening.map(({ tag }) => tag)).toEqual(['in', 'in'])
    for (const { address } of listening) {
      const socket = connectTcp(address.port, '127.0.0.1')
      socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
      let text = ''
      for await (const piece of socket) text += String(piece)
      expect(text).toMatch(/^HTTP\/1.1 200 .*here$/s)
    }
  } finally {
    await server.close(0)
    target.close()
  }
})
