import { describe, expect, it } from 'vitest'
import { builtin } from '../../builtin/kinds.ts'
import { serverTransports } from '../../config/link/server-stream.ts'
import { linkToOutbound, parseLink } from '../../config/link/share-link.ts'
import { loadConfig, loadConfigValue } from '../../config/load.ts'
import { fakeRandom } from '../../testing/fakes.ts'
import { serverFileText } from './server-file.ts'
import { serverLink, vmessInbound } from './server-link.ts'
import { streamOf } from './transport-flag.ts'

const id = '8e3d2f6a-51c7-4b0e-9a44-6f0b7d1c2e95'
const linkOf = (transport: string, path?: string): string => {
  const stream = streamOf({ transport, path }, fakeRandom(3))
  const text = serverFileText({ listen: '', port: 443, id, stream }, 'server.json')
  const { config, problems } = loadConfig([{ name: 'server.json', text }])
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
  return serverLink(vmessInbound(config!, 'server.json'), 'example.com', '')
}

describe('serve --transport', () => {
  it.each(serverTransports())('%s makes a server, and a link that a client of ours can use', (word) => {
    for (const path of word === 'tcp' || word === 'raw' ? [undefined] : ['chat', undefined]) {
      const link = parseLink(linkOf(word, path))
      const { config, problems } = loadConfigValue({ outbounds: [linkToOutbound(link)] })
      expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
      const { stream } = config!.outbounds[0]!
      const http = word === 'tcp-http'
      expect(stream.network).toBe(
        builtin.transports.find(({ name, aliases }) => [name, ...aliases].includes(http ? 'tcp' : word))?.name,
      )
      if (path !== undefined) expect(JSON.stringify(stream.transport)).toContain('chat')
    }
  })

  it('has a path that nobody can guess where none is given', () => {
    expect(parseLink(linkOf('ws')).transport).toMatchObject({ path: expect.stringMatching(/^\/[\w-]{8}$/) })
    expect(parseLink(linkOf('tcp-http', '/a')).transport).toEqual({
      network: 'tcp',
      http: { host: expect.any(Array), path: ['/a'] },
    })
  })

  it('says what there is', () => {
    expect(() => linkOf('wss')).toThrow(/give one of .*ws.*tcp-http/)
    expect(() => linkOf('tcp', '/a')).toThrow('tcp has no path')
    expect(() => streamOf({ path: '/a' }, fakeRandom(1))).toThrow('--path needs --transport')
  })
})
