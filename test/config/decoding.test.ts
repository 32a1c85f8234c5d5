/** How values are decoded, whatever field they stand in. */
import { describe, expect, test } from 'vitest'
import {
  codesOf,
  configOf,
  errorOf,
  inboundOf,
  load,
  loadText,
  outboundOf,
  problemOf,
  quietConfigOf,
  uuid,
  vmessIn,
  vmessOut,
  warningOf,
  withInbound,
  withOutbound,
} from './helpers.ts'

const clients = [{ id: uuid }]

describe('keys', () => {
  test('in any letter case, with the documented spelling as a hint', () => {
    const result = load(withInbound({ Settings: { CLIENTS: [{ ID: uuid, alterID: 3 }] } }))
    expect(inboundOf(result, 'vmess').settings.users[0]!.alterId).toBe(3)
    expect(problemOf(result, 'info', 'CFG021', 'inbounds[0].settings.CLIENTS').message).toContain('"clients"')
    expect(codesOf(result)).toEqual(['CFG021', 'CFG021', 'CFG021', 'CFG021'])
  })

  test('twice: the last one counts', () => {
    const result = loadText(
      `{"log": {"loglevel": "info", "loglevel": "error"}, "inbounds": [], "outbounds": [{"protocol": "freedom"}]}`,
    )
    expect(configOf(result).log.level).toBe('error')
    expect(warningOf(result, 'CFG006', 'log.loglevel')).toMatchObject({ line: 1, column: 30 })
  })

  test('twice in different letter case: the documented spelling counts', () => {
    const result = loadText(`{"log": {"loglevel": "info", "logLevel": "error"}}`)
    expect(configOf(result).log.level).toBe('info')
    warningOf(result, 'CFG006', 'log.logLevel')
  })

  test('unknown: a warning with the nearest known one', () => {
    const problem = warningOf(load({ inbounds: [], outbuonds: [] }), 'CFG020', 'outbuonds')
    expect(problem).toMatchObject({ line: 3, column: 3, hint: 'did you mean "outbounds"?' })
  })

  test('unknown here: where the key belongs', () => {
    const result = load(
      withOutbound({ protocol: 'vmess', settings: { vnext: [{ address: 'a', port: 1, alterId: 0, users: clients }] } }),
    )
    expect(warningOf(result, 'CFG020').hint).toBe('"alterId" belongs in users[] (outbound) or clients[] (inbound)')
  })

  test.each([
    ['주소', 'address'],
    ['포트', 'port'],
    ['레벨', 'level'],
    ['보안', 'security'],
    ['이메일', 'email'],
    ['클라이언트', 'clients'],
    ['기본값', 'default'],
    ['~', 'to'],
  ])('translated: %s', (key, name) => {
    expect(warningOf(load({ [key]: 1 }), 'CFG020').hint).toBe(`did you mean "${name}"?`)
  })

  test.each([
    ['자동', 'auto'],
    ['없음', 'none'],
    ['에이스 -128-cfb', 'aes-128-cfb'],
  ])('translated value: %s', (word, name) => {
    expect(warningOf(load(vmessOut({ security: word })), 'CFG058').hint).toBe(`did you mean "${name}"?`)
  })

  test('a translated boolean', () => {
    expect(errorOf(load(vmessIn({ clients, disableInsecureEncryption: '그릇된' })), 'CFG022').hint).toBe(
      'did you mean "false"?',
    )
  })

  test('comments as keys, and the schema of editors, are passed over', () => {
    quietConfigOf(load({ $schema: 'x', '//': 'x', _comment: 'x', remarks: 'x' }))
  })
})

describe('null', () => {
  test('is the same as absent', () => {
    quietConfigOf(load({ stats: null, log: null, inbounds: null, outbounds: null, whatever: null }))
    errorOf(load(withInbound({ port: null })), 'CFG081')
  })

  test('as the whole configuration is an idle instance, and so is {}', () => {
    for (const text of ['null', '{}'])
      expect(quietConfigOf(loadText(text))).toMatchObject({ inbounds: [], outbounds: [] })
  })
})

describe('integers', () => {
  test.each([
    ['443.0', 'found 443.0 (written with a point)', 'write 443'],
    ['4e2', 'found 4e2 (written with an exponent)', 'write 400'],
    ['1.5', 'found 1.5 (a fraction)', undefined],
    ['15e-1', 'found 15e-1 (a fraction)', undefined],
    ['"443"', 'found "443" (a string)', 'write 443 without the quotes'],
    ['true', 'found true', undefined],
    ['[443]', 'found an array', undefined],
  ])('%s', (text, found, hint) => {
    const file = JSON.stringify(vmessOut({}, { port: 31337 })).replace('31337', text)
    const problem = errorOf(loadText(file), 'CFG022', 'outbounds[0].settings.vnext[0].port')
    expect(problem.message).toBe(`${found}, expected a port: a whole number from 0 to 65535`)
    expect(problem.hint).toBe(hint)
  })

  test.each(['-1', '65536', '99999999999999999999', '1E999'])('%s is out of range or no integer', (text) => {
    const file = JSON.stringify(vmessOut({}, { port: 31337 })).replace('31337', text)
    expect(loadText(file).problems.map(({ severity, path }) => [severity, path])).toEqual([
      ['error', 'outbounds[0].settings.vnext[0].port'],
    ])
  })
})

describe('lists and ports', () => {
  test('StringList: an array, or one string split at commas', () => {
    const file = (alpn: unknown) => vmessOut({}, {}, { streamSettings: { security: 'tls', tlsSettings: { alpn } } })
    for (const alpn of [['h2', 'http/1.1'], 'h2,http/1.1']) {
      expect(outboundOf(load(file(alpn)), 'vmess').stream.tls!.alpn).toEqual(['h2', 'http/1.1'])
    }
    errorOf(load(file(5)), 'CFG022', 'outbounds[0].streamSettings.tlsSettings.alpn')
  })

  test('NetworkList: any case; unknown names match nothing', () => {
    const file = (network: unknown) => withInbound({ protocol: 'dokodemo-door', listen: '::1', settings: { network } })
    expect(inboundOf(load(file('TCP')), 'dokodemo-door').settings.networks).toEqual(['tcp'])
    expect(inboundOf(load(file(['tcp', 'udp'])), 'dokodemo-door').settings.networks).toEqual(['tcp', 'udp'])
    expect(inboundOf(load(file(null)), 'dokodemo-door').settings.networks).toEqual(['tcp'])
    expect(warningOf(load(file('tcp,udpp')), 'CFG026', 'inbounds[0].settings.network').hint).toBe('did you mean "udp"?')
  })

  test.each([
    [443, [443]],
    ['443', [443]],
    ['1000-1002', [1000, 1001, 1002]],
    ['80, 443', [80, 443]],
    ['80,80-81', [80, 81]],
    ['env:PORT', [8080, 8081]],
    ['env:my.port', [99]],
    [0, [0]],
  ])('ports of an inbound: %j', (port, ports) => {
    const result = load(withInbound({ port, settings: { clients } }), { env: { PORT: '8080-8081', MY_PORT: '99' } })
    quietConfigOf(result)
    expect(inboundOf(result, 'vmess').listen.map(({ address }) => address.port)).toEqual(ports)
  })

  test.each([
    ['65536', 'expected ports from 0 to 65535', undefined],
    ['100-50', 'expected the smaller port first', 'write "50-100"'],
    ['1000 - 2000', 'expected a port (443) or a range of ports', 'write "1000-2000" without blanks'],
    ['', 'expected a port (443) or a range of ports', undefined],
    ['http', 'expected a port (443) or a range of ports', undefined],
    ['80,', 'expected a port (443) or a range of ports', undefined],
  ])('ports of an inbound: %j is an error', (port, message, hint) => {
    const problem = errorOf(load(withInbound({ port, settings: { clients } })), 'CFG029', 'inbounds[0].port')
    expect(problem.message).toContain(message)
    expect(problem.hint).toBe(hint)
  })

  test('env: a variable that is not set is an error; variables of the file come first', () => {
    const file = withInbound({ port: 'env:PORT', settings: { clients } })
    expect(errorOf(load(file), 'CFG027', 'inbounds[0].port').message).toContain('"PORT"')
    const result = load({ ...file, env: { PORT: '7' } }, { env: { PORT: '8' } })
    expect(inboundOf(result, 'vmess').listen[0]!.address.port).toBe(7)
  })
})
