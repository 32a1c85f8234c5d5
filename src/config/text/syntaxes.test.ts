/** YAML and TOML: the same tree as the JSON beside it, and mistakes with their places. */
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../load.ts'
import type { Parse } from './source.ts'
import { parseToml } from './toml.ts'
import { parseYaml } from './yaml.ts'

const loaded = (name: string, text: string, parse?: Parse) => loadConfig([{ name, text, ...(parse && { parse }) }])

const json = `{
  "log": { "loglevel": "info" },
  "inbounds": [{ "protocol": "socks", "listen": "127.0.0.1", "port": 1080, "settings": { "udp": true } }],
  "outbounds": [{ "protocol": "freedom", "tag": "direct" }]
}`

const yaml = `# a comment
log: { loglevel: info }
inbounds:
  - &in
    protocol: socks
    listen: 127.0.0.1
    port: 1080
    settings:
      udp: true
outbounds:
  - protocol: freedom
    tag: direct
`

const toml = `
[log]
loglevel = "info"
[[inbounds]]
protocol = "socks"
listen = "127.0.0.1"
port = 1080
  [inbounds.settings]
  udp = true
[[outbounds]]
protocol = "freedom"
tag = "direct"
`

describe('the same configuration', () => {
  const { config } = loaded('a.json', json)
  test('in YAML', () => expect(loaded('a.yaml', yaml, parseYaml)).toMatchObject({ config, problems: [] }))
  test('in TOML', () => expect(loaded('a.toml', toml, parseToml)).toMatchObject({ config, problems: [] }))
})

describe('mistakes', () => {
  test('have their place in YAML', () => {
    const { problems } = loaded('a.yaml', yaml.replace('1080', 'many'), parseYaml)
    expect(problems).toMatchObject([{ code: 'CFG029', path: 'inbounds[0].port', line: 7, column: 11 }])
    const twice = loaded('a.yaml', `${yaml}log: {}\n`, parseYaml)
    expect(twice.problems).toMatchObject([{ code: 'CFG006', path: 'log', line: 13 }])
  })

  test('have their path in TOML', () => {
    const { problems } = loaded('a.toml', toml.replace('1080', '"many"'), parseToml)
    expect(problems).toMatchObject([{ code: 'CFG029', path: 'inbounds[0].port' }])
  })

  test('of the syntax', () => {
    expect(loaded('a.yaml', 'inbounds:\n  - {a: [1\n', parseYaml).problems).toMatchObject([{ code: 'CFG001', line: 3 }])
    expect(loaded('a.toml', 'a = 1\nb = = 2\n', parseToml).problems).toMatchObject([{ code: 'CFG001', line: 2 }])
  })

  test('anchors that multiply are refused', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
    for (let i = 0; i < 8; i++) {
      const [to, from] = [String.fromCharCode(98 + i), String.fromCharCode(97 + i)]
      bomb.push(`${to}: &${to} [${Array.from({ length: 10 }, () => `*${from}`).join(', ')}]`)
    }
    const { problems, config } = loaded('a.yaml', bomb.join('\n'), parseYaml)
    expect(config).toBeUndefined()
    expect(problems.map(({ code }) => code)).toContain('CFG007')
  })
})
