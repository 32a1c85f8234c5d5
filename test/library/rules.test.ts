import { connect as connectTcp, createServer as createTcpServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createServer } from '../../src/index.ts'

const proxy = (port = 0) => ({ tag: 'in', listen: '127.0.0.1', port, protocol: 'http' as const })
const ways = [
  { tag: 'direct', protocol: 'freedom' as const },
  { tag: 'blocked', protocol: 'blackhole' as const },
]

describe('createServer with rules', () => {
  it('blocks what they say, and lets the rest through', async () => {
    const target = createTcpServer((socket) => socket.end('here'))
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
    const { port } = target.address() as { port: number }
    const rules = [{ domain: ['full:localhost'], ruleTag: 'no names', outboundTag: 'blocked' }]
    const server = createServer({ inbounds: [proxy()], outbounds: ways, routing: { rules } })
    const seen: (string | undefined)[] = []
    server.on('session', ({ outboundTag, rule }) => seen.push(`${outboundTag} ${rule}`))
    try {
      const listening = await server.listen()
      const { address } = listening[0]!
      expect(await askFor(`127.0.0.1:${port}`, address.port)).toMatch(/here$/)
      expect(await askFor(`localhost:${port}`, address.port)).not.toMatch(/here$/)
      expect(seen).toEqual(['direct undefined', 'blocked no names'])
    } finally {
      await server.close(0)
      target.close()
    }
  })

  it('throws where a list is not there, and says where it looked', () => {
    const routing = { rules: [{ domain: ['ext:nowhere.dat:a'], outboundTag: 'blocked' }] }
    const start = () => createServer({ inbounds: [proxy()], outbounds: ways, routing })
    expect(start).toThrow(/routing\.rules\[0\]\.domain.*CFG124.*nowhere\.dat was not found\. Looked for:/s)
  })
})

async function askFor(target: string, port: number): Promise<string> {
  const socket = connectTcp(port, '127.0.0.1')
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
  let text = ''
  for await (const piece of socket) text += String(piece)
  return text
}

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
      expect(await askFor(`127.0.0.1:${port}`, address.port)).toMatch(/^HTTP\/1.1 200 .*here$/s)
    }
  } finally {
    await server.close(0)
    target.close()
  }
})
