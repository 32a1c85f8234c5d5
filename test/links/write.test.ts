import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatLink, type LinkTls, parseLink } from '../../src/config/link/share-link.ts'
import { link } from './arbitrary.ts'
import { id, samples } from './corpus.ts'

const canonical = samples[0]!.means

describe('writes links in the v2rayN form', () => {
  it('writes strings only, in the order of the table', () => {
    const text = formatLink({
      ...canonical,
      name: 'n',
      alterId: 4,
      transport: { network: 'ws', path: '/p', host: 'h.example', earlyData: { maxBytes: 9, headerName: 'X-Early' } },
      tls: {
        serverName: 's.example',
        alpn: ['h2', 'http/1.1'],
        allowInsecure: true,
        fingerprint: 'chrome',
        pinnedCertSha256: ['ab'.repeat(32)],
        verifyNames: ['v.example'],
      },
    })
    expect(Buffer.from(text.slice('vmess://'.length), 'base64').toString()).toBe(
      `{"v":"2","ps":"n","add":"a.example","port":"443","id":"${id}","aid":"4","scy":"auto","net":"ws","type":"none",` +
        `"host":"h.example","path":"/p?ed=9&eh=X-Early","tls":"tls","sni":"s.example","alpn":"h2,http/1.1","fp":"chrome",` +
        `"insecure":"1","vcn":"v.example","pcs":"${'ab'.repeat(32)}"}`,
    )
  })

  it('pads the base64', () => {
    expect(formatLink({ ...canonical, name: 'a' }).length % 4).toBe('vmess://'.length % 4)
  })

  it('writes a custom id as its UUID', () => {
    expect(parseLink(formatLink({ ...canonical, id: '我爱🍉老师1314' })).id).toBe(id)
  })

  it('names the server where a host would be taken for its name', () => {
    const { tls } = parseLink(formatLink({ ...canonical, ...wsWithHost, tls: noTlsDetails }))
    expect(tls?.serverName).toBe('')
  })

  it.each([
    ['experiments', { experiments: 'AuthenticatedLength' }],
    ['packetEncoding', { packetEncoding: 'xudp' as const }],
    ['mux', { mux: true }],
    ['uplinkCapacity', { transport: { network: 'kcp' as const, headerType: 'none', seed: '', uplinkCapacity: 5 } }],
  ])('refuses what the form cannot say: %s', (name, part) => {
    expect(() => formatLink({ ...canonical, ...part })).toThrow(expect.objectContaining({ code: 'LINK_INVALID' }))
    expect(() => formatLink({ ...canonical, ...part })).toThrow(name)
  })

  it('gives back every link that it wrote', () => {
    fc.assert(
      fc.property(link, (value) => {
        expect(parseLink(formatLink(value))).toEqual(value)
      }),
      { numRuns: 1000 },
    )
  })

  it('carries over every sample that it can express', () => {
    const expressible = samples.filter(({ means }) => means.experiments === '' && !means.packetEncoding && !means.mux)
    for (const { title, means } of expressible) {
      if (title.startsWith('V2RayU: kcp') || means.id !== id) continue
      expect(parseLink(formatLink(means)), title).toEqual({ ...means, unknown: {} })
    }
  })
})

const wsWithHost = { transport: { network: 'ws' as const, path: '/', host: 'h.example' } }
const noTlsDetails: LinkTls = {
  serverName: '',
  alpn: [],
  allowInsecure: false,
  fingerprint: '',
  pinnedCertSha256: [],
  verifyNames: [],
}
