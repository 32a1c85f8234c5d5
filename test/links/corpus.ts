/** Sample links of every form, made for this project after real ones, with what each of them means. */
import type { LinkTls, ShareLink } from '../../src/config/link/share-link.ts'

export const id = '5783a3e7-e373-51cd-8642-c83782b807c5'

const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64')
const urlSafe = (text: string) => Buffer.from(text, 'utf8').toString('base64url')
export const v2rayN = (fields: object) => `vmess://${base64(JSON.stringify(fields))}`

const plain: ShareLink = {
  name: 'a.example:443',
  address: 'a.example',
  port: 443,
  id,
  alterId: 0,
  security: 'auto',
  transport: { network: 'tcp' },
  experiments: '',
  mux: false,
  unknown: {},
}

const tls: LinkTls = {
  serverName: '',
  alpn: [],
  allowInsecure: false,
  fingerprint: '',
  pinnedCertSha256: [],
  verifyNames: [],
}

export interface Sample {
  readonly title: string
  readonly link: string
  readonly means: ShareLink
}

const sample = (title: string, link: string, means: Partial<ShareLink>): Sample => ({
  title,
  link,
  means: { ...plain, ...means },
})

const minimal = { v: '2', add: 'a.example', port: '443', id }
const pin = 'ab'.repeat(32)

export const v2rayNSamples: readonly Sample[] = [
  sample(
    'as v2rayN writes it',
    v2rayN({ ...minimal, ps: '東京 1', aid: '0', scy: 'auto', net: 'tcp', type: 'none', host: '', path: '', tls: '' }),
    { name: '東京 1' },
  ),
  sample('numbers instead of strings', v2rayN({ ...minimal, v: 2, port: 443, aid: 16, ps: 7 }), {
    name: '7',
    alterId: 16,
  }),
  sample('URL-safe alphabet, no padding', `vmess://${urlSafe(JSON.stringify({ ...minimal, ps: '日本🍉?' }))}`, {
    name: '日本🍉?',
  }),
  sample('line breaks inside the base64', v2rayN({ ...minimal, ps: 'x' }).replace(/(.{40})/g, '$1\r\n'), { name: 'x' }),
  sample('percent-encoded padding', `VMESS://${base64(JSON.stringify(minimal)).replace(/=/g, '%3D')}`, {}),
  sample('blanks around the link', ` \n\t${v2rayN(minimal)}\r\n\0`, {}),
  sample(
    'pretty-printed JSON with a byte order mark',
    `vmess://${base64(`\uFEFF${JSON.stringify(minimal, null, 2)}`)}`,
    {},
  ),
  sample('a name in the fragment', `${v2rayN(minimal)}#My%20server`, { name: 'My server' }),
  sample('the name of the object wins over the fragment', `${v2rayN({ ...minimal, ps: 'A' })}#B`, { name: 'A' }),
  sample('IPv6 in brackets', v2rayN({ ...minimal, add: '[2001:db8::1]' }), {
    name: '[2001:db8::1]:443',
    address: '2001:db8::1',
  }),
  sample('IPv6 without brackets', v2rayN({ ...minimal, add: '2001:db8::1' }), {
    name: '[2001:db8::1]:443',
    address: '2001:db8::1',
  }),
  sample('a domain in another script', v2rayN({ ...minimal, add: 'bücher.example', ps: 'b' }), {
    name: 'b',
    address: 'xn--bcher-kva.example',
  }),
  sample('a custom id', v2rayN({ ...minimal, id: '我爱🍉老师1314' }), { id: '我爱🍉老师1314' }),
  sample('the cipher as "security"', v2rayN({ ...minimal, security: 'aes-128-gcm' }), { security: 'aes-128-gcm' }),
  sample('the cipher as "cipher"', v2rayN({ ...minimal, cipher: 'CHACHA20-POLY1305' }), {
    security: 'chacha20-poly1305',
  }),
  sample('empty values', v2rayN({ ...minimal, ps: '', aid: '', scy: '', net: '', type: '', tls: null }), {}),
  ...['none', '0', 'null', 'false', false, null, ''].map((word) =>
    sample(`"tls": ${JSON.stringify(word)} is off`, v2rayN({ ...minimal, tls: word }), {}),
  ),
  ...['tls', 'TLS', 'xtls', '1', 'true', true, 1].map((word) =>
    sample(`"tls": ${JSON.stringify(word)} is on`, v2rayN({ ...minimal, tls: word }), { tls }),
  ),
  sample(
    'every TLS field',
    v2rayN({ ...minimal, tls: 'tls', sni: 's.example', alpn: 'h2,http/1.1', fp: 'chrome', insecure: '1', pcs: pin }),
    {
      tls: {
        ...tls,
        serverName: 's.example',
        alpn: ['h2', 'http/1.1'],
        fingerprint: 'chrome',
        allowInsecure: true,
        pinnedCertSha256: [pin],
      },
    },
  ),
  sample(
    'a list of ALPN names and of names to verify',
    v2rayN({ ...minimal, tls: 'tls', alpn: ['h2'], vcn: 'x.example,y.example' }),
    {
      tls: { ...tls, alpn: ['h2'], verifyNames: ['x.example', 'y.example'] },
    },
  ),
  ...[{ allowInsecure: 1 }, { 'skip-cert-verify': true }, { verify_cert: false }].map((field) =>
    sample(`no verification by ${JSON.stringify(field)}`, v2rayN({ ...minimal, tls: 'tls', ...field }), {
      tls: { ...tls, allowInsecure: true },
    }),
  ),
  sample('verify_cert: true', v2rayN({ ...minimal, tls: 'tls', verify_cert: true }), { tls }),
  sample(
    'ws: the server name comes from the first host',
    v2rayN({ ...minimal, net: 'ws', host: 'h.example', path: '/p', tls: 'tls' }),
    {
      transport: { network: 'ws', host: 'h.example', path: '/p' },
      tls: { ...tls, serverName: 'h.example' },
    },
  ),
  sample(
    'ws: a server name that is the address',
    v2rayN({ ...minimal, net: 'ws', host: 'h.example', sni: 'A.example', tls: 'tls' }),
    {
      transport: { network: 'ws', host: 'h.example', path: '/' },
      tls,
    },
  ),
  sample('ws: early data in the path', v2rayN({ ...minimal, net: 'ws', path: '/p?ed=2048' }), {
    transport: {
      network: 'ws',
      host: '',
      path: '/p',
      earlyData: { maxBytes: 2048, headerName: 'Sec-WebSocket-Protocol' },
    },
  }),
  sample(
    'ws: early data with a header of its own',
    v2rayN({ ...minimal, net: 'ws', path: '/p?a=1&ed=10&eh=X-Early' }),
    {
      transport: { network: 'ws', host: '', path: '/p?a=1', earlyData: { maxBytes: 10, headerName: 'X-Early' } },
    },
  ),
  sample('ws: version 1 has the path in "host"', v2rayN({ ...minimal, v: '1', net: 'ws', host: '/p;h.example' }), {
    transport: { network: 'ws', host: 'h.example', path: '/p' },
  }),
  sample('h2: version 1 without a host', v2rayN({ ...minimal, v: 1, net: 'h2', host: '/p' }), {
    transport: { network: 'h2', host: [], path: '/p' },
  }),
  sample('h2 as "http"', v2rayN({ ...minimal, net: 'http', host: 'x.example,y.example', path: '/p' }), {
    transport: { network: 'h2', host: ['x.example', 'y.example'], path: '/p' },
  }),
  sample(
    'tcp with the HTTP header',
    v2rayN({ ...minimal, net: 'tcp', type: 'http', host: 'x.example,y.example', path: '/a,/b' }),
    {
      transport: { network: 'tcp', http: { host: ['x.example', 'y.example'], path: ['/a', '/b'] } },
    },
  ),
  sample('raw is tcp', v2rayN({ ...minimal, net: 'raw' }), {}),
  sample('kcp', v2rayN({ ...minimal, net: 'kcp', type: 'wechat-video', path: 'seed' }), {
    transport: { network: 'kcp', headerType: 'wechat-video', seed: 'seed' },
  }),
  sample(
    'quic: its security is no server name',
    v2rayN({ ...minimal, net: 'quic', type: 'srtp', host: 'aes-128-gcm', path: 'key', tls: 'tls' }),
    {
      transport: { network: 'quic', security: 'aes-128-gcm', key: 'key', headerType: 'srtp' },
      tls,
    },
  ),
  sample('grpc', v2rayN({ ...minimal, net: 'grpc', type: 'multi', path: 'service', host: 'auth.example' }), {
    transport: { network: 'grpc', serviceName: 'service', mode: 'multi', authority: 'auth.example' },
  }),
  sample('httpupgrade', v2rayN({ ...minimal, net: 'httpupgrade', host: 'h.example', path: '/u' }), {
    transport: { network: 'httpupgrade', host: 'h.example', path: '/u' },
  }),
  sample('splithttp is xhttp', v2rayN({ ...minimal, net: 'splithttp', type: 'packet-up', path: '/x' }), {
    transport: { network: 'xhttp', host: '', path: '/x', mode: 'packet-up' },
  }),
  sample('fields nobody knows are kept aside', v2rayN({ ...minimal, region: 'eu', extra: { a: 1 } }), {
    unknown: { region: 'eu', extra: '{"a":1}' },
  }),
  sample('control characters in a name', v2rayN({ ...minimal, ps: 'a\u001b[31m\nb' }), { name: 'a [31m b' }),
]

const url = (query = '', fragment = '') => `vmess://${id}@a.example:443${query}${fragment}`

export const urlSamples: readonly Sample[] = [
  sample('no parameters', url(), {}),
  sample('a name', url('', '#caf%C3%A9%20%231'), { name: 'café #1' }),
  sample('a slash before the query', url('/?type=tcp', '#n'), { name: 'n' }),
  sample('IPv6', `vmess://${id}@[2001:db8::1]:8443`, {
    name: '[2001:db8::1]:8443',
    address: '2001:db8::1',
    port: 8443,
  }),
  sample('a custom id, percent-encoded', 'vmess://%E6%88%91%E7%88%B1%40@a.example:443', { id: '我爱@' }),
  sample(
    'ws over TLS',
    url('?type=ws&security=tls&path=%2Fp%3Fed%3D2560&host=h.example&sni=s.example&alpn=h2%2Chttp%2F1.1&fp=firefox'),
    {
      transport: {
        network: 'ws',
        path: '/p',
        host: 'h.example',
        earlyData: { maxBytes: 2560, headerName: 'Sec-WebSocket-Protocol' },
      },
      tls: { ...tls, serverName: 's.example', alpn: ['h2', 'http/1.1'], fingerprint: 'firefox' },
    },
  ),
  sample('without sni the address is the server name, not the host', url('?type=ws&security=tls&host=h.example'), {
    transport: { network: 'ws', path: '/', host: 'h.example' },
    tls,
  }),
  sample('early data beside the path', url('?type=ws&path=%2Fp&ed=100&eh=X-Early'), {
    transport: { network: 'ws', path: '/p', host: '', earlyData: { maxBytes: 100, headerName: 'X-Early' } },
  }),
  sample('http is HTTP/2', url('?type=http&host=x.example%2Cy.example&path=%2Fp'), {
    transport: { network: 'h2', path: '/p', host: ['x.example', 'y.example'] },
  }),
  sample('tcp with the HTTP header', url('?headerType=http&host=x.example&path=%2Fp'), {
    transport: { network: 'tcp', http: { host: ['x.example'], path: ['/p'] } },
  }),
  sample('kcp', url('?type=kcp&headerType=utp&seed=s%26d'), {
    transport: { network: 'kcp', headerType: 'utp', seed: 's&d' },
  }),
  sample('quic', url('?type=quic&quicSecurity=chacha20-poly1305&key=k&headerType=dtls'), {
    transport: { network: 'quic', security: 'chacha20-poly1305', key: 'k', headerType: 'dtls' },
  }),
  sample('grpc', url('?type=grpc&serviceName=s%2Ft&mode=gun&authority=a'), {
    transport: { network: 'grpc', serviceName: 's/t', mode: 'gun', authority: 'a' },
  }),
  sample('xhttp', url('?type=xhttp&path=%2Fx&host=h.example&mode=stream-up&extra=%7B%22noSSEHeader%22%3Atrue%7D'), {
    transport: { network: 'xhttp', path: '/x', host: 'h.example', mode: 'stream-up', extra: { noSSEHeader: true } },
  }),
  sample('httpupgrade', url('?type=httpupgrade&path=%2Fu'), {
    transport: { network: 'httpupgrade', path: '/u', host: '' },
  }),
  sample('cipher, UDP encoding', url('?encryption=zero&packetEncoding=xudp'), {
    security: 'zero',
    packetEncoding: 'xudp',
  }),
  sample('packetaddr', url('?encryption=&packetEncoding=packet'), { packetEncoding: 'packet' }),
  ...['allowInsecure=1', 'insecure=1', 'allow_insecure=true', 'insecure=1&allowInsecure=1'].map((flag) =>
    sample(`no verification by ${flag}`, url(`?security=tls&${flag}`), { tls: { ...tls, allowInsecure: true } }),
  ),
  sample('old keys', url('?tls=true&network=ws'), { transport: { network: 'ws', path: '/', host: '' }, tls }),
  sample('pins and names to verify', url(`?security=tls&pcs=${pin.toUpperCase()}&vcn=x.example`), {
    tls: { ...tls, pinnedCertSha256: [pin], verifyNames: ['x.example'] },
  }),
  sample('newer TLS extras are kept aside', url('?security=tls&ech=AEX%2B&fm=1'), {
    tls,
    unknown: { ech: 'AEX+', fm: '1' },
  }),
  sample('our own extension: experiments', url('?experiments=AuthenticatedLength'), {
    experiments: 'AuthenticatedLength',
  }),
]

const draft = (head: string, tail: string) => `vmess://${head}:${id}-0@a.example:443${tail}`

export const draftSamples: readonly Sample[] = [
  sample('tcp', draft('tcp', '/#n'), { name: 'n' }),
  sample('tcp with the HTTP header and TLS', draft('tcp+tls', '/?type=http&tlsServerName=s.example'), {
    transport: { network: 'tcp', http: { host: [], path: ['/'] } },
    tls: { ...tls, serverName: 's.example' },
  }),
  sample('alterId after the last dash', `vmess://ws:${id}-64@a.example:443/?path=%2Fp&host=h.example`, {
    alterId: 64,
    transport: { network: 'ws', path: '/p', host: 'h.example' },
  }),
  sample(
    'http: hosts between vertical bars',
    draft('http+tls', '/?host=x.example%7Cy.example&path=%2Fp&allowInsecure=yes'),
    {
      transport: { network: 'h2', path: '/p', host: ['x.example', 'y.example'] },
      tls: { ...tls, allowInsecure: true },
    },
  ),
  ...['false', 'False', 'No', 'Off', '0', ''].map((word) =>
    sample(`allowInsecure=${word} is false`, draft('tcp+tls', `/?allowInsecure=${word}`), { tls }),
  ),
  sample('allowInsecure=whatever is true', draft('tcp+tls', '/?allowInsecure=whatever'), {
    tls: { ...tls, allowInsecure: true },
  }),
  sample('kcp', draft('kcp', '/?type=srtp&seed=s'), { transport: { network: 'kcp', headerType: 'srtp', seed: 's' } }),
  sample('quic', draft('quic', '/?security=aes-128-gcm&key=k&type=utp'), {
    transport: { network: 'quic', security: 'aes-128-gcm', key: 'k', headerType: 'utp' },
  }),
]

const head = (cipher: string, host = 'a.example:443') => `vmess://${urlSafe(`${cipher}:${id}@${host}`)}`

export const cipherSamples: readonly Sample[] = [
  sample('Shadowrocket: tcp', `${head('auto')}?remarks=%E4%B8%9C&alterId=0`, { name: '东' }),
  sample(
    'Shadowrocket: ws over TLS',
    `${head('aes-128-gcm')}?remarks=n&obfs=websocket&obfsParam=h.example&path=/p&tls=1&peer=s.example&aid=4`,
    {
      name: 'n',
      alterId: 4,
      security: 'aes-128-gcm',
      transport: { network: 'ws', host: 'h.example', path: '/p' },
      tls: { ...tls, serverName: 's.example' },
    },
  ),
  sample(
    'Shadowrocket: the host as JSON',
    `${head('none')}?remark=n&obfs=websocket&obfsParam=%7B%22Host%22%3A%22h.example%22%7D&path=/p`,
    {
      name: 'n',
      security: 'none',
      transport: { network: 'ws', host: 'h.example', path: '/p' },
    },
  ),
  sample('Shadowrocket: http is the HTTP header', `${head('auto')}?obfs=http&obfsParam=h.example&path=/p`, {
    transport: { network: 'tcp', http: { host: ['h.example'], path: ['/p'] } },
  }),
  sample('Shadowrocket: h2', `${head('auto')}?obfs=h2&obfsParam=h.example&path=/p&tls=1&allowInsecure=1`, {
    transport: { network: 'h2', host: ['h.example'], path: '/p' },
    tls: { ...tls, allowInsecure: true },
  }),
  sample('Shadowrocket: grpc, mux, fast open', `${head('auto')}?obfs=grpc&path=svc&mux=1&tfo=1`, {
    mux: true,
    transport: { network: 'grpc', serviceName: 'svc', mode: 'gun', authority: '' },
    unknown: { tfo: '1' },
  }),
  sample('Shadowrocket: none', `${head('chacha20-poly1305')}?obfs=none#n`, {
    name: 'n',
    security: 'chacha20-poly1305',
  }),
  sample('no parameters, IPv6', head('auto', '[2001:db8::1]:80'), {
    name: '[2001:db8::1]:80',
    address: '2001:db8::1',
    port: 80,
  }),
  sample(
    'V2RayU: ws over TLS',
    `${head('auto')}?network=ws&aid=2&remarks=n&wsPath=%2Fp&wsHost=h.example&tls=1&tlsServer=s.example&allowInsecure=0`,
    {
      name: 'n',
      alterId: 2,
      transport: { network: 'ws', host: 'h.example', path: '/p' },
      tls: { ...tls, serverName: 's.example' },
    },
  ),
  sample('V2RayU: keys in any case', `${head('auto')}?NETWORK=h2&h2path=%2Fp&H2HOST=h.example&TLS=true`, {
    transport: { network: 'h2', host: ['h.example'], path: '/p' },
    tls,
  }),
  sample('V2RayU: kcp', `${head('auto')}?network=kcp&kcpHeader=utp&uplinkCapacity=50&downlinkCapacity=100`, {
    transport: { network: 'kcp', headerType: 'utp', seed: '', uplinkCapacity: 50, downlinkCapacity: 100 },
  }),
]

export const otherSamples: readonly Sample[] = [
  sample('Kitsunebi: ws', `vmess1://${id}@a.example:443/p?network=ws&tls=true&ws.host=h.example#My%20node`, {
    name: 'My node',
    transport: { network: 'ws', path: '/p', host: 'h.example' },
    tls,
  }),
  sample('Kitsunebi: tcp', `vmess1://${id}@a.example:443?network=tcp`, {}),
  sample(
    'Kitsunebi: h2',
    `vmess1://${id}@a.example:443/p?network=http&http.host=h.example&tls=true&tls.servername=s.example&tls.allowinsecure=true`,
    {
      transport: { network: 'h2', path: '/p', host: ['h.example'] },
      tls: { ...tls, serverName: 's.example', allowInsecure: true },
    },
  ),
  sample(
    'Quantumult: ws over TLS',
    `vmess://${base64(`My node = vmess, a.example, 443, chacha20-ietf-poly1305, "${id}", group=List, over-tls=true, tls-host=s.example, certificate=1, obfs=ws, obfs-path="/p,q", obfs-header="Host: h.example[Rr][Nn]User-Agent: x"`)}`,
    {
      name: 'My node',
      security: 'chacha20-poly1305',
      transport: { network: 'ws', path: '/p,q', host: 'h.example' },
      tls: { ...tls, serverName: 's.example' },
      unknown: { 'header User-Agent': 'x' },
    },
  ),
  sample(
    'Quantumult: tcp, no verification',
    `vmess://${base64(`n=vmess,a.example,443,none,"${id}",over-tls=true,certificate=0`)}`,
    {
      name: 'n',
      security: 'none',
      tls: { ...tls, allowInsecure: true },
    },
  ),
  sample(
    'Surge: ws over TLS',
    `My node = vmess, a.example, 443, username=${id}, encrypt-method=aes-128-gcm, vmess-aead=true, tls=true, ws=true, ws-path=/p, ws-headers=Host:h.example|X-A:"b", sni=s.example, skip-cert-verify=true`,
    {
      name: 'My node',
      security: 'aes-128-gcm',
      transport: { network: 'ws', path: '/p', host: 'h.example' },
      tls: { ...tls, serverName: 's.example', allowInsecure: true },
      unknown: { 'header X-A': '"b"' },
    },
  ),
  sample('Surge: the legacy header is its default', `n = vmess, a.example, 443, username=${id}, tfo=true`, {
    name: 'n',
    alterId: 1,
    unknown: { tfo: 'true' },
  }),
]

export const samples = [...v2rayNSamples, ...urlSamples, ...draftSamples, ...cipherSamples, ...otherSamples]
