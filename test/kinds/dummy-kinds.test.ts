import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { referenceText } from '../../scripts/config-reference.ts'
import { editorSchemaText } from '../../scripts/editor-schema.ts'
import { inboundJson } from '../../src/api/grpc/convert/inbound.ts'
import { outboundJson } from '../../src/api/grpc/convert/outbound.ts'
import { loadTypes } from '../../src/api/grpc/types.ts'
import { InstanceControl } from '../../src/app/control/control.ts'
import { systemEnv } from '../../src/app/instance/env.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { builtin } from '../../src/builtin/kinds.ts'
import { formatLink, linkToOutbound, parseLink } from '../../src/config/link/share-link.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import type { Kinds } from '../../src/kinds/kinds.ts'
import { carried, layersMade, lineInbound, lineOutbound, pigeon, scramble } from './dummies.ts'

const kinds: Kinds = {
  ...builtin,
  inbounds: [...builtin.inbounds, lineInbound],
  outbounds: [...builtin.outbounds, lineOutbound],
  transports: [...builtin.transports, scramble, pigeon],
}

const id = '0b1f6c7d-9e2a-4d35-8c46-a7b8d9e0f112'
const text = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const said = (value: object) => loadConfigValue(value, { kinds }).problems.map(({ code, path }) => `${code} ${path}`)

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

describe('the loader', () => {
  const inbound = (streamSettings: object, settings: object = {}) => ({
    inbounds: [{ tag: 'in', listen: '127.0.0.1', port: 1, protocol: 'oneline', settings, streamSettings }],
    outbounds: [{ protocol: 'freedom' }],
  })

  it('reads them as it reads the others', () => {
    const { config, problems } = loadConfigValue(
      inbound({ network: 'xor', scrambleSettings: { key: 7 } }, { greeting: 'hi' }),
      { kinds },
    )
    expect(problems).toEqual([])
    expect(config!.inbounds[0]).toMatchObject({
      protocol: 'line',
      settings: { greeting: 'hi' },
      stream: { network: 'scramble', transport: { key: 7 } },
    })
  })

  it('says what is wrong with them', () => {
    const at = 'inbounds[0].streamSettings'
    expect(said(inbound({ network: 'scramble', scrambleSettings: { key: 0 } }))).toEqual([
      `CFG023 ${at}.scrambleSettings.key`,
    ])
    expect(said(inbound({ network: 'scramble', scrambleSettings: {} }))).toEqual([`CFG024 ${at}.scrambleSettings.key`])
    expect(said(inbound({ network: 'scramble', scrambleSettings: { key: 1 }, xorSettings: { key: 2 } }))).toEqual([
      `CFG035 ${at}.scrambleSettings`,
    ])
    expect(said(inbound({ scrambleSettings: { key: 1 } }))).toEqual([`CFG104 ${at}.scrambleSettings`])
    expect(said(inbound({ network: 'scramble', tcpSettings: { header: { type: 'none' } } }))).toEqual([
      `CFG104 ${at}.tcpSettings`,
    ])
  })

  it('takes their settings from the old top-level transport', () => {
    const { config } = loadConfigValue(
      { ...inbound({ network: 'scramble' }), transport: { scrambleSettings: { key: 9 } } },
      { kinds },
    )
    expect(config!.inbounds[0]!.stream.transport).toEqual({ key: 9 })
  })

  it('does not know them by itself', () => {
    const { problems } = loadConfigValue(inbound({ network: 'scramble' }))
    expect(problems.map(({ code }) => code).sort()).toEqual(['CFG080', 'CFG100'])
  })
})

it('the reference has them', () => {
  const reference = referenceText(text('docs/config.md'), kinds)
  expect(reference).toContain('## `settings` of the inbound `line` (also `oneline`)')
  expect(reference).toContain('| `greeting` | string | What clients are told first. |')
  expect(reference).toContain(
    '| `scrambleSettings.key` | integer 1 to 255 | What every byte is combined with. Required. |',
  )
  expect(reference).toContain('| `xorSettings` | object | Older name of scrambleSettings; it wins. |')
})

it('the schema for editors has them', () => {
  const { definitions } = JSON.parse(editorSchemaText(kinds))
  expect(definitions['outbound-line'].properties.host.type).toBe('string')
  expect(definitions.streamSettings.properties.scrambleSettings.properties.key).toMatchObject({
    minimum: 1,
    maximum: 255,
  })
  const branches = definitions.inbound.allOf.map((rule: { if: { properties: { protocol: { enum: string[] } } } }) =>
    rule.if.properties.protocol.enum.join(),
  )
  expect(branches).toContain('line,oneline')
})

describe('links', () => {
  const v2rayN = `vmess://${Buffer.from(
    JSON.stringify({ v: '2', ps: 'n', add: 'example.com', port: '443', id, net: 'scramble', path: '77' }),
  ).toString('base64')}`

  it.each([
    ['v2rayN', v2rayN],
    ['URL', `vmess://${id}@example.com:443?type=XOR&path=77#n`],
  ])('of the form %s name the transport', (_form, link) => {
    const outbound = linkToOutbound(parseLink(link, undefined, { kinds }))
    const { config, problems } = loadConfigValue({ outbounds: [outbound] }, { kinds })
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(config!.outbounds[0]!.stream).toMatchObject({ network: 'scramble', transport: { key: 77 } })
    const again = parseLink(formatLink(parseLink(link, undefined, { kinds }), { kinds }), undefined, { kinds })
    expect(again.transport).toEqual({
      network: 'other',
      name: 'scramble',
      key: 'scrambleSettings',
      settings: { key: 77 },
    })
  })

  it('name what can be written where nobody knows it', () => {
    expect(() => parseLink(v2rayN)).toThrow(/"scramble" is not a transport/)
    expect(() => parseLink(v2rayN.replace(/^.*$/, `vmess://${id}@h:1?type=no`), undefined, { kinds })).toThrow(
      /xhttp, scramble/,
    )
  })
})

describe.each(['v2ray', 'xray'] as const)('the gRPC API of %s', (family) => {
  it('turns their messages into what the loader reads', async () => {
    const types = await loadTypes(kinds)
    const stream_settings = {
      protocol_name: 'scramble',
      transport_settings: [
        { protocol_name: 'scramble', settings: types.typed(family, 'transport.internet.scramble.Config', { key: 5 }) },
      ],
    }
    const ports =
      family === 'xray' ? { port_list: { range: [{ From: 9, To: 9 }] } } : { port_range: { From: 9, To: 9 } }
    const inbound = types.fields('inbound', {
      tag: 'in',
      receiver_settings: types.typed(family, 'app.proxyman.ReceiverConfig', { ...ports, stream_settings }),
      proxy_settings: types.typed(family, 'proxy.line.ServerConfig', { greeting: 'hi' }),
    })
    const outbound = types.fields('outbound', {
      tag: 'out',
      sender_settings: types.typed(family, 'app.proxyman.SenderConfig', { stream_settings }),
      proxy_settings: types.typed(family, 'proxy.line.ClientConfig', { host: '192.0.2.1', port: 8 }),
    })
    const { config } = loadConfigValue(
      { inbounds: [inboundJson(inbound, kinds)], outbounds: [outboundJson(outbound, kinds)] },
      { kinds },
    )
    expect(config!.inbounds[0]).toMatchObject({ protocol: 'line', settings: { greeting: 'hi' } })
    expect(config!.outbounds[0]).toMatchObject({
      settings: { server: { host: '192.0.2.1', port: 8 } },
      stream: { network: 'scramble', transport: { key: 5 } },
    })
  })
})

describe('a connection', () => {
  async function start(value: object): Promise<Instance> {
    const { config, problems } = loadConfigValue(value, { kinds })
    if (!config) throw new Error(problems.map(({ message }) => message).join('\n'))
    const instance = new Instance(config, { env: systemEnv(), kinds })
    await instance.start()
    closing.push(() => instance.stop(0))
    return instance
  }

  async function echo(): Promise<number> {
    const server = createServer((socket) => void socket.on('error', () => {}).pipe(socket))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => server.close())
    return (server.address() as { port: number }).port
  }

  const tls = (settings: object) => ({ security: 'tls', tlsSettings: settings })
  const file = (name: string) => new URL(`../fixtures/tls/${name}`, import.meta.url).pathname
  const certificates = [{ certificateFile: file('server.crt'), keyFile: file('server.key') }]
  const server = (streamSettings: object) => ({
    inbounds: [{ tag: 'in', listen: '127.0.0.1', port: 0, protocol: 'line', streamSettings }],
    outbounds: [{ protocol: 'freedom' }],
  })
  const client = (to: number, at: number, streamSettings: object) => ({
    inbounds: [
      { listen: '127.0.0.1', port: 0, protocol: 'dokodemo-door', settings: { address: '127.0.0.1', port: to } },
    ],
    outbounds: [{ protocol: 'line', settings: { host: '127.0.0.1', port: at }, streamSettings }],
  })
  const portOf = (instance: Instance): number => instance.listening[0]!.address.port

  it.each([
    ['scramble', { scrambleSettings: { key: 42 } }, false],
    ['scramble', { scrambleSettings: { key: 42 } }, true],
    ['pigeon', {}, true],
  ])('goes through them: %s, %j, TLS %s', async (network, settings, secure) => {
    layersMade.length = 0
    Object.assign(carried, { dialled: 0, listened: 0 })
    const stream = { network, ...settings }
    const far = await start(server({ ...stream, ...(secure && tls({ certificates })) }))
    const own = secure && tls({ allowInsecure: true, serverName: 'front.test' })
    const near = await start(client(await echo(), portOf(far), { ...stream, ...own }))
    const socket = connect(portOf(near), '127.0.0.1')
    closing.push(() => socket.destroy())
    socket.write('through')
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toBe('through')
    expect(carried).toEqual(network === 'pigeon' ? { dialled: 1, listened: 1 } : { dialled: 0, listened: 0 })
    if (network === 'scramble') {
      expect(layersMade).toEqual([
        { secure, serverName: '' },
        { secure, serverName: secure ? 'front.test' : '' },
      ])
    }
  })

  it('comes in by an inbound that was added while it runs', async () => {
    const instance = await start(server({}))
    const control = new InstanceControl({
      instance,
      env: systemEnv(),
      version: '0',
      reload: async () => ({ problems: [] }),
      restartLog: () => {},
    })
    await control.addInbound({ ...server({ network: 'scramble' }).inbounds[0], tag: 'added' })
    expect(instance.inbound('added')?.config.protocol).toBe('line')
  })
})

it('no other file names them', () => {
  const names = /scramble|pigeonSettings|lineInbound|proxy\.line/i
  const files = ['src', 'scripts', 'docs', 'schema'].flatMap((folder) =>
    readdirSync(new URL(`../../${folder}`, import.meta.url), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|mjs|md|json|proto)$/.test(name))
      .map((name) => `${folder}/${name}`),
  )
  expect(files.length).toBeGreaterThan(200)
  expect(files.filter((name) => names.test(text(name)))).toEqual([])
})
