/** Servers between links, Clash, sing-box and files: what comes back, and what is said of the rest. */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { type ConvertOptions, convert, type Form, showLost } from '../../src/config/convert/convert.ts'
import { formatLink, parseLink, type ShareLink } from '../../src/config/link/share-link.ts'
import { link } from '../links/arbitrary.ts'
import { id } from '../links/corpus.ts'

const converted = (value: unknown, options: ConvertOptions) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return convert([{ name: 'given', text }], options)
}

/** Says nothing about what is lost by these words at the end of its path. */
const blanks: Readonly<Record<string, (server: ShareLink) => ShareLink>> = {
  pinnedPeerCertSha256: (server) => tls(server, { pinnedCertSha256: [] }),
  verifyPeerCertByName: (server) => tls(server, { verifyNames: [] }),
  allowInsecure: (server) => tls(server, { allowInsecure: false }),
  fingerprint: (server) => tls(server, { fingerprint: '' }),
  multiMode: (server) => transport(server, 'grpc', { mode: 'gun' }),
  authority: (server) => transport(server, 'grpc', { authority: '' }),
  earlyData: (server) => transport(server, 'httpupgrade', { earlyData: undefined }),
  maxEarlyData: (server) => transport(server, 'ws', { earlyData: undefined }),
}
const tls = (server: ShareLink, change: Partial<NonNullable<ShareLink['tls']>>): ShareLink =>
  server.tls ? { ...server, tls: { ...server.tls, ...change } } : server
const transport = (server: ShareLink, network: string, change: object): ShareLink =>
  server.transport.network === network
    ? ({ ...server, transport: { ...server.transport, ...change } } as ShareLink)
    : server

/** What every reader takes for the same. */
function plain(server: ShareLink): ShareLink {
  const known = server.security === 'zero' || server.security === 'none' ? server : { ...server }
  return tls(known, { verifyNames: server.tls?.verifyNames ?? [] })
}

describe.each(['clash', 'sing-box', 'v4', 'v5', 'xray'] as const)('over %s', (to) => {
  test('a server comes back but for what was said', () => {
    fc.assert(
      fc.property(link, (server) => {
        const written = converted(formatLink(server), { to })
        const said = written.lost.map(({ path }) => path)
        if (said.includes('') || said.includes('outbounds[0]')) return
        const back = converted(written.value, { from: to, to: 'link' })
        const [line] = back.value as readonly string[]
        const all = [...said, ...back.lost.map(({ path }) => path)].map((path) => path.split('.').at(-1)!)
        const forgiving = (one: ShareLink) => all.reduce((each, word) => blanks[word]?.(each) ?? each, plain(one))
        expect(forgiving(parseLink(line!))).toEqual(forgiving(parseLink(formatLink(server))))
        expect(all.filter((word) => !blanks[word])).toEqual([])
      }),
      { numRuns: 100 },
    )
  })
})
const read = (value: unknown, from: Form) => {
  const { value: lines, lost } = converted(value, { from, to: 'link' })
  return { links: ((lines ?? []) as readonly string[]).map((line) => parseLink(line)), lost: lost.map(showLost) }
}

describe('entries of Clash', () => {
  const entry = { name: 'a', type: 'vmess', server: 'a.example', port: 443, uuid: id, alterId: 0, cipher: 'auto' }

  it('are read in YAML by their content, with what is not understood said', async () => {
    const { parseYaml } = await import('../../src/config/text/yaml.ts')
    const text = `mixed-port: 7890
proxies:
  - {name: one, type: vmess, server: a.example, port: 443, uuid: ${id}, alterId: 0, cipher: auto, udp: true, tls: true, network: ws,
     ws-opts: {path: "/ray?ed=2048", headers: {Host: b.example, X-Token: t}}, smux: {enabled: true}}
  - {name: two, type: ss, server: a.example, port: 1, cipher: none, password: p}
`
    const { value, lost } = convert([{ name: 'clash.yaml', text, parse: parseYaml }], { to: 'xray' })
    expect(value).toMatchObject({
      outbounds: [
        {
          tag: 'one',
          streamSettings: {
            network: 'ws',
            security: 'tls',
            tlsSettings: { serverName: 'b.example' },
            wsSettings: { path: '/ray?ed=2048', host: 'b.example', headers: { 'X-Token': 't' } },
          },
        },
      ],
    })
    expect(lost.map(showLost)).toEqual([
      'not carried over: mixed-port: 7890: only the entries of "proxies" are read',
      'not carried over: proxies[0].smux: {"enabled":true}: it is sing-mux, another protocol than Mux.Cool',
      'not carried over: proxies[1]: "ss": only entries of the type vmess are read',
    ])
  })

  it('name the server by the Host of WebSocket where nothing else does, as mihomo', () => {
    const ws = { ...entry, tls: true, network: 'ws', 'ws-opts': { path: '/', headers: { host: 'h.example' } } }
    expect(read([ws], 'clash').links[0]!.tls!.serverName).toBe('h.example')
    const [line] = read([ws], 'clash').links
    const back = converted(formatLink({ ...line!, tls: { ...line!.tls!, serverName: '' } }), { to: 'clash' })
    expect(back.value).toMatchObject({
      proxies: [{ servername: 'a.example', 'ws-opts': { headers: { Host: 'h.example' } } }],
    })
  })

  it('with HTTP/2 are in TLS whatever they say', () => {
    expect(read([{ ...entry, network: 'h2', 'h2-opts': { path: '/p' } }], 'clash').links[0]!.tls).toBeDefined()
    expect(read([{ ...entry, network: 'grpc' }], 'clash').links[0]!.tls).toBeUndefined()
  })

  it.each([
    ['no port', { ...entry, port: undefined }, 'the port'],
    ['a bad id', { ...entry, uuid: '' }, 'the user id'],
    ['a transport of others', { ...entry, network: 'xhttp' }, '"xhttp" is not a transport of VMess in Clash'],
    ['REALITY', { ...entry, tls: true, 'reality-opts': { 'public-key': 'k' } }, 'REALITY'],
  ])('are refused with %s', (_title, value, message) => {
    expect(() => read([value], 'clash')).toThrow(message)
  })
})

describe('outbounds of sing-box', () => {
  const outbound = { type: 'vmess', tag: 'a', server: 'a.example', server_port: 443, uuid: id }

  it('are read, with what is not understood said', () => {
    const { links, lost } = read(
      {
        log: { level: 'info' },
        outbounds: [
          {
            ...outbound,
            tls: { enabled: true, server_name: 's.example', insecure: true, certificate_public_key_sha256: ['x'] },
            transport: { type: 'http', host: ['h.example'], path: '/p', method: 'GET', idle_timeout: '1s' },
            multiplex: { enabled: true },
            domain_resolver: 'local',
          },
          { type: 'direct', tag: 'direct' },
        ],
      },
      'sing-box',
    )
    expect(links).toMatchObject([
      {
        transport: { network: 'h2', host: ['h.example'], path: '/p' },
        tls: { serverName: 's.example', allowInsecure: false },
      },
    ])
    expect(lost.map((line) => line.split(': ')[1])).toEqual([
      'log',
      'outbounds[0].transport.method',
      'outbounds[0].transport.idle_timeout',
      'outbounds[0].multiplex',
      'outbounds[0].tls.insecure',
      'outbounds[0].tls.certificate_public_key_sha256',
      'outbounds[0].domain_resolver',
      'outbounds[1]',
    ])
  })

  it.each([
    ['QUIC', { ...outbound, transport: { type: 'quic' } }, '"quic" is not available here'],
    ['REALITY', { ...outbound, tls: { enabled: true, reality: { enabled: true } } }, 'REALITY'],
  ])('are refused with %s', (_title, value, message) => {
    expect(() => read(value, 'sing-box')).toThrow(message)
  })
})

describe('what cannot be written', () => {
  const vmess = (streamSettings: object) => ({
    outbounds: [{ tag: 'a', protocol: 'vmess', settings: { address: 'a.example', port: 1, id }, streamSettings }],
  })
  const pin = 'ab'.repeat(32)
  const pinned = vmess({ security: 'tls', tlsSettings: { allowInsecure: true, pinnedPeerCertSha256: pin } })

  it('leaves no server unverified that was pinned', () => {
    const v4 = converted(pinned, { to: 'v4' })
    expect(JSON.stringify(v4.value)).not.toContain('allowInsecure')
    expect(v4.lost.map(({ path }) => path)).toContain('outbounds[0].streamSettings.tlsSettings.allowInsecure')
    expect(converted(pinned, { to: 'sing-box' }).value).toMatchObject({
      outbounds: [{ tls: { enabled: true, server_name: 'a.example' } }],
    })
    expect(JSON.stringify(converted(pinned, { to: 'sing-box' }).value)).not.toContain('insecure')
    expect(converted(pinned, { to: 'clash' }).value).toMatchObject({ proxies: [{ fingerprint: pin }] })
  })

  it('leaves a blackhole where rules lead, and no rule without its condition', () => {
    const file = {
      ...vmess({ network: 'xhttp' }),
      routing: {
        rules: [
          { localPort: 80, outboundTag: 'a' },
          { port: 25, outboundTag: 'a' },
        ],
      },
    }
    expect(converted(file, { to: 'v4' }).value).toMatchObject({
      outbounds: [{ tag: 'a', protocol: 'blackhole' }],
      routing: { rules: [{ port: 25 }] },
    })
  })

  it('leaves out inbounds that would take anybody', () => {
    const tlsSettings = { verifyClientCertificate: true, certificates: [{ certificateFile: 'c', keyFile: 'k' }] }
    const inbound = { port: 1, protocol: 'vmess', settings: { clients: [{ id }] } }
    const file = { inbounds: [{ ...inbound, streamSettings: { security: 'tls', tlsSettings } }] }
    const { value, lost } = converted(file, { to: 'xray' })
    expect(value).toEqual({ inbounds: [] })
    expect(lost.map(showLost)).toEqual([
      'not carried over: inbounds[0]: "vmess": Xray does not ask clients for certificates: this inbound is left out',
    ])
  })

  it('shows no secret', () => {
    const file = {
      ...vmess({ network: 'kcp', kcpSettings: { seed: 'topsecret', header: { type: 'dns', domain: 'x' } } }),
    }
    const { lost } = converted({ ...file, control: { token: 'topsecret' } }, { to: 'v5' })
    expect(lost.map(showLost).join('\n')).not.toContain('topsecret')
  })
})

it('keeps servers with one name apart', () => {
  const line = (address: string) =>
    formatLink({ ...parseLink(`vmess://${id}@${address}:1?type=tcp#same`), name: 'same' })
  const { value } = converted(`${line('a.example')}\n${line('b.example')}`, { to: 'clash' })
  expect(value).toMatchObject({ proxies: [{ name: 'same' }, { name: 'same-2' }] })
})

it('reads a subscription and passes over what it cannot read', () => {
  const good = formatLink(parseLink(`vmess://${id}@a.example:1?type=tcp`))
  const text = btoa(`${good}\ntrojan://x@y:1\nvmess://broken`)
  const { value, lost } = converted(text, { to: 'link' })
  expect(value).toEqual([good])
  expect(lost.map(showLost)).toEqual([
    'not carried over: "1 trojan://": another protocol than VMess',
    expect.stringMatching(/^not carried over: link 2: share link: the base64 part holds neither/),
  ])
})
