/** One test per row of the tables of tlsSettings and its certificates. */
import { describe, expect, test } from 'vitest'
import { configOf, errorOf, load, outboundOf, quietConfigOf, uuid, vmessIn, vmessOut, warningOf } from '../helpers.ts'

const out = (streamSettings: object) => load(vmessOut({}, {}, { streamSettings }))
const into = (streamSettings: object) => load(vmessIn({ clients: [{ id: uuid }] }, { streamSettings }))
const streamOf = (streamSettings: object) => outboundOf(out(streamSettings), 'vmess').stream
const inboundStreamOf = (streamSettings: object) => configOf(into(streamSettings)).inbounds[0]!.stream
const at = 'outbounds[0].streamSettings'

describe('tlsSettings', () => {
  const tls = (tlsSettings: object) => out({ security: 'tls', tlsSettings })
  const tlsOf = (tlsSettings: object) => streamOf({ security: 'tls', tlsSettings }).tls!
  const path = (key: string) => `${at}.tlsSettings.${key}`
  const files = { certificateFile: '/c.pem', keyFile: '/k.pem' }
  const server = (tlsSettings: object) =>
    into({ security: 'tls', tlsSettings: { certificates: [files], ...tlsSettings } })

  test('serverName and alpn', () => {
    expect(tlsOf({ serverName: 'a.example', alpn: ['h2'] })).toMatchObject({ serverName: 'a.example', alpn: ['h2'] })
  })

  test('allowInsecure: honoured, with a warning unless there is a pin', () => {
    warningOf(tls({ allowInsecure: true }), 'CFG105', path('allowInsecure'))
    expect(tlsOf({ allowInsecure: true }).allowInsecure).toBe(true)
    quietConfigOf(tls({ allowInsecure: true, pinnedPeerCertSha256: 'a'.repeat(64) }))
  })

  test('disableSystemRoot and enableSessionResumption', () => {
    expect(tlsOf({ disableSystemRoot: true, enableSessionResumption: true })).toMatchObject({
      disableSystemRoot: true,
      enableSessionResumption: true,
    })
  })

  test('minVersion and maxVersion', () => {
    expect(tlsOf({ minVersion: '1.0', maxVersion: '1.3' })).toMatchObject({
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.3',
    })
    errorOf(tls({ minVersion: '1.3', maxVersion: '1.2' }), 'CFG023', path('minVersion'))
    errorOf(tls({ minVersion: 'TLSv1.2' }), 'CFG025', path('minVersion'))
    expect(errorOf(tls({ minVersion: 1.2 }), 'CFG022', path('minVersion')).hint).toBe('write "1.2" in double quotes')
  })

  test('cipherSuites: Go’s names become OpenSSL’s, beside the suites of TLS 1.3', () => {
    const cipherSuites = 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'
    quietConfigOf(tls({ cipherSuites }))
    expect(tlsOf({ cipherSuites }).ciphers).toBe(
      'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305',
    )
    warningOf(tls({ cipherSuites: 'TLS_AES_128_GCM_SHA256' }), 'CFG030', path('cipherSuites'))
    expect(tlsOf({ cipherSuites: 'TLS_AES_128_GCM_SHA256' }).ciphers).toBeUndefined()
    expect(warningOf(tls({ cipherSuites: 'TLS_RSA_WITH_AES_128_GCM_SHA257' }), 'CFG107').hint).toContain(
      'TLS_RSA_WITH_AES_128_GCM_SHA256',
    )
  })

  test('curvePreferences', () => {
    expect(tlsOf({ curvePreferences: ['CurveP256', 'x25519'] }).curves).toBe('P-256:X25519')
    const hybrid = tls({ curvePreferences: 'X25519MLKEM768,X25519' })
    warningOf(hybrid, 'CFG107', path('curvePreferences'))
    expect(outboundOf(hybrid, 'vmess').stream.tls!.curves).toBe('X25519')
    expect(tls({ curvePreferences: ['X25519MLKEM768'] }).config).toBeUndefined()
    expect(tls({ curvePreferences: ['P257'] }).config).toBeUndefined()
  })

  test('pinnedPeerCertSha256: hex with or without colons', () => {
    const pin = 'AB'.repeat(32)
    const spaced = pin.match(/../g)!.join(':')
    expect(tlsOf({ pinnedPeerCertSha256: `${pin}, ${spaced}` }).pinnedCertSha256).toEqual([
      pin.toLowerCase(),
      pin.toLowerCase(),
    ])
    errorOf(tls({ pinnedPeerCertSha256: 'abc' }), 'CFG106', path('pinnedPeerCertSha256'))
  })

  test('pinnedPeerCertificateChainSha256: base64', () => {
    const pin = 'VZrq0IJk1XldOQlxjN0Fq9SVcuhP5VWQ7vMaiKCP3/0='
    expect(tlsOf({ pinnedPeerCertificateChainSha256: [pin] }).pinnedChainSha256).toEqual([pin])
    errorOf(
      tls({ pinnedPeerCertificateChainSha256: [pin, 'x'] }),
      'CFG106',
      path('pinnedPeerCertificateChainSha256[1]'),
    )
    const suffices = { pinnedPeerCertificateChainSha256: [pin], allowInsecureIfPinnedPeerCertificate: true }
    quietConfigOf(tls(suffices))
    expect(tlsOf(suffices).allowInsecure).toBe(true)
    warningOf(tls({ allowInsecureIfPinnedPeerCertificate: true }), 'CFG030')
  })

  test('pinnedPeerCertificatePublicKeySha256: base64', () => {
    const pin = 'VZrq0IJk1XldOQlxjN0Fq9SVcuhP5VWQ7vMaiKCP3/0='
    const key = 'pinnedPeerCertificatePublicKeySha256'
    expect(tlsOf({ [key]: [pin] }).pinnedPublicKeySha256).toEqual([pin])
    errorOf(tls({ [key]: ['x'] }), 'CFG106', path(`${key}[0]`))
  })

  test('verifyPeerCertByName', () => {
    expect(tlsOf({ verifyPeerCertByName: 'a.example, b.example' }).verifyNames).toEqual(['a.example', 'b.example'])
    expect(tlsOf({ verifyPeerCertInNames: ['a.example'] }).verifyNames).toEqual(['a.example'])
  })

  test('verifyClientCertificate and rejectUnknownSni belong to a server', () => {
    const authority = { certificateFile: '/ca.pem', usage: 'verifyclient' }
    const result = server({ verifyClientCertificate: true, rejectUnknownSni: true, certificates: [files, authority] })
    const { tls: serverTls } = quietConfigOf(result).inbounds[0]!.stream
    expect(serverTls).toMatchObject({ verifyClient: true, rejectUnknownSni: true })
    expect(serverTls!.clientAuthorities).toMatchObject([
      { path: '/ca.pem', at: 'inbounds[0].streamSettings.tlsSettings.certificates[1].certificateFile' },
    ])
    warningOf(server({ verifyClientCertificate: true }), 'CFG105')
    warningOf(tls({ rejectUnknownSni: true }), 'CFG030', path('rejectUnknownSni'))
    warningOf(tls({ verifyClientCertificate: true }), 'CFG030', path('verifyClientCertificate'))
  })

  test('allowInsecure and pins belong to a client', () => {
    warningOf(server({ allowInsecure: true }), 'CFG030')
    warningOf(server({ pinnedPeerCertSha256: 'a'.repeat(64) }), 'CFG030')
    quietConfigOf(server({ allowInsecure: false, serverName: 'a' }))
  })

  test('masterKeyLog: honoured, with a warning', () => {
    warningOf(tls({ masterKeyLog: '/k' }), 'CFG110', path('masterKeyLog'))
    expect(tlsOf({ masterKeyLog: '/k' }).masterKeyLog).toBe('/k')
    quietConfigOf(tls({ masterKeyLog: 'none' }))
    expect(tlsOf({ masterKeyLog: 'none' }).masterKeyLog).toBe('')
  })

  test('fingerprint has no effect', () => {
    warningOf(tls({ fingerprint: 'chrome' }), 'CFG030', path('fingerprint'))
    quietConfigOf(tls({ fingerprint: 'unsafe' }))
  })

  test.each(['echConfig', 'echConfigList', 'echServerKeys', 'echDohServer'])('%s is refused', (key) => {
    expect(errorOf(tls({ [key]: 'x' }), 'CFG031', path(key)).message).toContain('in the clear')
  })
})

describe('certificates[]', () => {
  const base = 'inbounds[0].streamSettings.tlsSettings.certificates'
  const server = (...certificates: object[]) => into({ security: 'tls', tlsSettings: { certificates } })
  const serverOf = (...certificates: object[]) =>
    inboundStreamOf({ security: 'tls', tlsSettings: { certificates } }).tls!
  const pem = ['-----BEGIN CERTIFICATE-----', 'AA==', '-----END CERTIFICATE-----']
  const key = ['-----BEGIN PRIVATE KEY-----', 'AA==', '-----END PRIVATE KEY-----']

  test('files', () => {
    expect(
      serverOf({ certificateFile: '/c.pem', keyFile: '/k.pem', certificate: pem, key }).certificates,
    ).toMatchObject([
      {
        cert: { path: '/c.pem', at: `${base}[0].certificateFile`, file: 'config.json', line: 18 },
        key: { path: '/k.pem', at: `${base}[0].keyFile` },
      },
    ])
  })

  test('inline, as lines or as one text', () => {
    const text = pem.join('\n')
    for (const certificate of [pem, text]) {
      const [pair] = serverOf({ certificate, key, usage: 'Encipherment' }).certificates
      expect(pair!.cert).toMatchObject({ pem: `${text}\n`, at: `${base}[0].certificate` })
    }
    const problem = errorOf(server({ certificate: '/c.pem', keyFile: '/k' }), 'CFG108', `${base}[0].certificate`)
    expect(problem.hint).toContain('"certificateFile"')
  })

  test('both parts are needed', () => {
    errorOf(server({ certificateFile: '/c.pem' }), 'CFG103', `${base}[0]`)
    errorOf(server({ keyFile: '/k.pem' }), 'CFG103', `${base}[0]`)
  })

  test('an inbound needs one', () => {
    errorOf(into({ security: 'tls' }), 'CFG102', 'inbounds[0].streamSettings.tlsSettings.certificates')
    errorOf(into({ security: 'tls', tlsSettings: {} }), 'CFG102')
    errorOf(server(), 'CFG102')
    errorOf(server({ certificateFile: '/ca.pem', usage: 'verify' }), 'CFG102', base)
  })

  test('usage', () => {
    const files = { certificateFile: '/c.pem', keyFile: '/k.pem' }
    const authority = { certificateFile: '/ca.pem', usage: 'verify' }
    const useless = warningOf(server(files, authority), 'CFG030', `${base}[1].usage`)
    expect(useless.hint).toContain('"verifyclient"')
    expect(serverOf({ ...files, usage: 'issue', buildChain: true })).toMatchObject({
      certificates: [],
      issuers: [{ cert: { path: '/c.pem' }, key: { path: '/k.pem' }, buildChain: true }],
    })
    errorOf(server({ certificateFile: '/c.pem', usage: 'issue' }), 'CFG103', `${base}[0]`)
    warningOf(server({ ...files, usage: 'issue' }, { ...files, usage: 'issue' }), 'CFG030', base)
    const issuing = { security: 'tls', tlsSettings: { certificates: [{ ...files, usage: 'issue' }] } }
    warningOf(out(issuing), 'CFG030', `${at}.tlsSettings.certificates[0].usage`)
    errorOf(server({ ...files, usage: 'encipher' }), 'CFG025', `${base}[0].usage`)
    const client = streamOf({
      security: 'tls',
      tlsSettings: { certificates: [files, { certificateFile: '/ca', usage: 'verify' }] },
    })
    expect(client.tls!.certificates).toHaveLength(1)
    expect(client.tls!.authorities).toHaveLength(1)
  })

  test('oneTimeLoading, ocspStapling and buildChain', () => {
    const files = { certificateFile: '/c.pem', keyFile: '/k.pem' }
    quietConfigOf(server({ ...files, oneTimeLoading: false, ocspStapling: 0, buildChain: false }))
    expect(serverOf(files).certificates).toMatchObject([{ ocspStaplingS: 0 }])
    expect(serverOf(files).certificates[0]!.cert).not.toHaveProperty('once')
    const [pair] = serverOf({ ...files, oneTimeLoading: true, ocspStapling: 3600 }).certificates
    expect(pair).toMatchObject({ cert: { once: true }, key: { once: true }, ocspStaplingS: 3600 })
    warningOf(server({ ...files, buildChain: true }), 'CFG030', `${base}[0].buildChain`)
    const stapling = { security: 'tls', tlsSettings: { certificates: [{ ...files, ocspStapling: 1 }] } }
    warningOf(out(stapling), 'CFG030', `${at}.tlsSettings.certificates[0].ocspStapling`)
  })
})
