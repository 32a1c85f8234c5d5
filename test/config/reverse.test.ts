import { describe, expect, test } from 'vitest'
import { codesOf, configOf, errorOf, load, quietConfigOf } from './helpers.ts'

const outbounds = [
  { tag: 'direct', protocol: 'freedom' },
  { tag: 'tunnel', protocol: 'blackhole' },
]
const end = { tag: 'x', domain: 'x.example.com' }

describe('reverse', () => {
  test('names bridges and portals, which rules know as inbounds and outbounds', () => {
    const config = quietConfigOf(
      load({
        reverse: { bridges: [{ tag: 'in', domain: 'a.example.com' }], portals: [end] },
        outbounds,
        routing: {
          rules: [
            { inboundTag: ['in'], domain: ['full:a.example.com'], outboundTag: 'tunnel' },
            { inboundTag: 'in', outboundTag: 'x' },
          ],
        },
      }),
    )
    expect(config.reverse).toEqual({ bridges: [{ tag: 'in', domain: 'a.example.com' }], portals: [end] })
  })

  test('in the format of V2Ray 5 says the same', () => {
    const services = { reverse: { bridgeConfig: [{ tag: 'in', domain: 'a.b' }], portalConfig: [end] } }
    const config = configOf(load({ services, outbounds: [{ protocol: 'freedom' }] }))
    expect(config.reverse).toEqual({ bridges: [{ tag: 'in', domain: 'a.b' }], portals: [end] })
  })

  test('that asks for nothing is none', () => {
    expect(quietConfigOf(load({ reverse: { bridges: [], portals: [] }, outbounds })).reverse).toBeUndefined()
  })

  test.each([
    ['no tag', { bridges: [{ domain: 'a.b' }] }, 'CFG024', 'reverse.bridges[0].tag'],
    ['an empty domain', { portals: [{ tag: 'x', domain: '' }] }, 'CFG024', 'reverse.portals[0].domain'],
    ['an address for a domain', { portals: [{ tag: 'x', domain: '10.0.0.1' }] }, 'CFG028', 'reverse.portals[0].domain'],
    ['a URL for a domain', { bridges: [{ tag: 'x', domain: 'https://a.b/' }] }, 'CFG028', 'reverse.bridges[0].domain'],
    ['the tag of an outbound', { portals: [{ ...end, tag: 'direct' }] }, 'CFG082', 'reverse.portals[0].tag'],
    ['a tag twice', { bridges: [end, end] }, 'CFG082', 'reverse.bridges[1].tag'],
  ])('with %s is refused', (_what, reverse, code, path) => {
    errorOf(load({ reverse, outbounds }), code, path)
  })

  test('lets an outbound go through a portal', () => {
    const through = { tag: 'far', protocol: 'freedom', proxySettings: { tag: 'x' } }
    expect(codesOf(load({ reverse: { portals: [end] }, outbounds: [...outbounds, through] }))).toEqual([])
  })
})

describe('the reverse proxy of VLESS', () => {
  const user = { id: 'b831381d-6324-4d53-ad4f-8cda48b30811', encryption: 'none', reverse: { tag: 'x' } }
  const vnext = [{ address: 'a.example.com', port: 443, users: [user] }]

  test.each([
    ['outbound', { outbounds: [{ protocol: 'vless', settings: { vnext } }] }, 'outbounds[0].protocol'],
    ['flat outbound', { outbounds: [{ protocol: 'vless', settings: user }] }, 'outbounds[0].protocol'],
    [
      'inbound',
      { inbounds: [{ port: 1, protocol: 'vless', settings: { clients: [user] } }], outbounds },
      'inbounds[0].protocol',
    ],
  ])('is refused by name: %s', (_what, file, path) => {
    expect(errorOf(load(file), 'CFG034', path).hint).toContain('write "reverse", a bridge and a portal, over vmess')
  })
})
