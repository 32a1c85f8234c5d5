/** One test per row of the table of the API, and the rules that lead to it. */
import { describe, expect, test } from 'vitest'
import type { LoadResult } from '../../../src/config/load.ts'
import { apiDoors } from '../../../src/config/routing/api-rules.ts'
import type { ApiConfig } from '../../../src/settings/model.ts'
import { codesOf, configOf, errorOf, load, quietConfigOf, uuid, warningOf } from '../helpers.ts'

const door = { tag: 'api-in', protocol: 'dokodemo-door', listen: '127.0.0.1', port: 10085, settings: { port: 1 } }
const vmess = { tag: 'in', protocol: 'vmess', port: 10086, settings: { clients: [{ id: uuid }] } }
const services = ['StatsService']
const listen = '127.0.0.1:8080'
const toApi = { inboundTag: ['api-in'], outboundTag: 'api' }

const file = (api: unknown, rules: readonly object[] = [], inbounds: readonly object[] = [door]) =>
  load({
    api,
    inbounds,
    outbounds: [
      { tag: 'direct', protocol: 'freedom' },
      { tag: 'block', protocol: 'blackhole' },
    ],
    routing: { rules },
  })
const apiOf = (result: LoadResult): ApiConfig => configOf(result).api!

describe('api', () => {
  test('absent: none', () => {
    expect(quietConfigOf(file(null)).api).toBeUndefined()
    expect(quietConfigOf(file(undefined)).api).toBeUndefined()
  })

  test('tag: required', () => {
    expect(errorOf(file({ services, listen }), 'CFG024', 'api.tag')).toMatchObject({
      line: 2,
      column: 10,
      message: '"api" has no "tag"; rules lead to the API by it',
      hint: 'write "tag": "api"',
    })
    errorOf(file({ tag: '', services, listen }), 'CFG024', 'api.tag')
    errorOf(file({ tag: 5, services, listen }), 'CFG022', 'api.tag')
    expect(quietConfigOf(file({ tag: 'remote', services, listen })).api!.tag).toBe('remote')
  })

  test('services: any letter case, each once', () => {
    const names = ['statsservice', 'HANDLERSERVICE', 'LoggerService', 'StatsService']
    expect(quietConfigOf(file({ tag: 'api', services: names, listen })).api!.services).toEqual([
      'StatsService',
      'HandlerService',
      'LoggerService',
    ])
  })

  test.each(['ReflectionService', 'reflectionservice'])('services: %s is not available', (name) => {
    const result = file({ tag: 'api', services: ['StatsService', name], listen })
    expect(warningOf(result, 'CFG034', 'api.services[1]').message).toBe(
      `"${name}" is not available in this version; it is left out; there is "HandlerService", "LoggerService", "ObservatoryService", "RoutingService" or "StatsService"`,
    )
    expect(apiOf(result).services).toEqual(['StatsService'])
  })

  test('services: an unknown one warns', () => {
    const result = file({ tag: 'api', services: ['StatService', 'StatsService'], listen })
    expect(warningOf(result, 'CFG026', 'api.services[0]')).toMatchObject({
      line: 5,
      column: 7,
      hint: 'did you mean "StatsService"?',
    })
    expect(apiOf(result).services).toEqual(['StatsService'])
    expect(warningOf(file({ tag: 'api', services: ['X', 'StatsService'], listen }), 'CFG026').hint).toBeUndefined()
    errorOf(file({ tag: 'api', services: 'StatsService', listen }), 'CFG022', 'api.services')
  })

  test.each([[undefined], [[]], [['ReflectionService']]])('services: %j offers nothing', (names) => {
    const result = file({ tag: 'api', services: names, listen })
    expect(warningOf(result, 'CFG141', 'api.services').hint).toBe(
      'write "services": [ "HandlerService", "LoggerService", "ObservatoryService", "RoutingService", "StatsService" ]',
    )
    expect(apiOf(result).services).toEqual([])
  })

  test.each([
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
    [' localhost:8080 ', { host: '127.0.0.1', port: 8080 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['/run/api.sock', { host: '', port: 0, path: '/run/api.sock' }],
    ['unix:/run/api.sock', { host: '', port: 0, path: '/run/api.sock' }],
    ['@api', { host: '', port: 0, path: '\0api' }],
  ])('listen: %j', (text, address) => {
    expect(quietConfigOf(file({ tag: 'api', services, listen: text })).api!.listen).toEqual(address)
  })

  test('listen: from the environment', () => {
    const value = { api: { tag: 'api', services, listen: 'env:API' } }
    expect(quietConfigOf(load(value, { env: { API: '[::1]:5' } })).api!.listen).toEqual({ host: '::1', port: 5 })
    errorOf(load(value), 'CFG027', 'api.listen')
  })

  test.each([
    [':8080', '::'],
    ['0.0.0.0:8080', '::'],
    ['[::]:8080', '::'],
    ['192.0.2.1:8080', '192.0.2.1'],
  ])('listen: %j can be reached from elsewhere', (text, host) => {
    const result = file({ tag: 'api', services, listen: text })
    expect(apiOf(result).listen).toEqual({ host, port: 8080 })
    expect(warningOf(result, 'CFG140', 'api.listen')).toMatchObject({
      message: 'the API asks for no password, and other machines can reach it: anybody there controls this server',
      hint: 'write "listen": "127.0.0.1:8080"',
    })
  })

  test.each([
    ['8080', 'write "127.0.0.1:8080"'],
    ['127.0.0.1', 'write "127.0.0.1:8080"'],
    ['::1', 'write "[::1]:8080"'],
    ['127.0.0.1:65536', 'ports go up to 65535'],
    ['api.example:8080', 'names are not looked up here: write the IP address'],
    ['api.sock', undefined],
  ])('listen: %j is an error', (text, hint) => {
    const problem = errorOf(file({ tag: 'api', services, listen: text }), 'CFG028', 'api.listen')
    expect(problem.message).toBe(
      `found ${JSON.stringify(text)}, expected an IP address and a port such as "127.0.0.1:8080", or the absolute path of a unix socket`,
    )
    expect(problem.hint).toBe(hint)
    expect(problem).toMatchObject({ line: 7, column: 15 })
  })

  test('listen: the mode of a socket has no effect, its path has an end', () => {
    const result = file({ tag: 'api', services, listen: '/run/api.sock,0666' })
    warningOf(result, 'CFG030', 'api.listen')
    expect(apiOf(result).listen!.path).toBe('/run/api.sock')
    errorOf(file({ tag: 'api', services, listen: `/${'x'.repeat(107)}` }), 'CFG028', 'api.listen')
    errorOf(file({ tag: 'api', services, listen: 8080 }), 'CFG022', 'api.listen')
  })

  test('listen: not where an inbound listens', () => {
    const result = file({ tag: 'api', services, listen: '127.0.0.1:10085' })
    expect(errorOf(result, 'CFG086', 'api.listen').message).toBe(
      'port 10085 of 127.0.0.1 is already listened on by inbounds[0]',
    )
    expect(errorOf(file({ tag: 'api', services, listen: ':10085' }), 'CFG086', 'api.listen').message).toBe(
      'port 10085 of all addresses is already listened on by inbounds[0] on 127.0.0.1',
    )
  })

  test('nothing reaches it', () => {
    const result = file({ tag: 'remote', services }, [], [])
    expect(warningOf(result, 'CFG141', 'api')).toMatchObject({
      message: 'nothing reaches the API: it has no "listen", and no rule leads to it',
      hint: 'write "listen": "127.0.0.1:8080" into "api", or a rule { "inboundTag": [ "…" ], "outboundTag": "remote" }',
    })
    expect(apiOf(result)).toEqual({ tag: 'remote', services })
    warningOf(file({ tag: 'api', services, listen: '' }), 'CFG141', 'api')
  })

  test('an outbound with its tag gives way; the default must not', () => {
    const api = { tag: 'block', services, listen }
    const result = file(api)
    expect(warningOf(result, 'CFG082', 'outbounds[1].tag').message).toContain('takes the place of this outbound')
    expect(configOf(result).outbounds.map(({ tag }) => tag)).toEqual(['direct'])
    errorOf(file({ ...api, tag: 'direct' }), 'CFG082', 'outbounds[0].tag')
  })
})

describe('rules to the API', () => {
  const withRules = (rules: readonly object[], inbounds?: readonly object[]) =>
    file({ tag: 'api', services }, rules, inbounds)

  const doorsOf = (result: LoadResult) => apiDoors(configOf(result).routing!.rules, 'api')

  test('of inbounds alone: these lead to it', () => {
    expect(doorsOf(withRules([toApi]))).toEqual(['api-in'])
    const rules = [{ ...toApi, type: 'field', inboundTag: 'api-in', ruleTag: 'x' }, toApi]
    expect(doorsOf(withRules(rules))).toEqual(['api-in'])
  })

  test('beside "listen" both ways are open', () => {
    expect(quietConfigOf(file({ tag: 'api', services, listen }, [toApi])).api).toEqual({
      tag: 'api',
      services,
      listen: { host: '127.0.0.1', port: 8080 },
    })
  })

  test.each([{ network: 'tcp' }, { source: '10.0.0.0/8' }, { port: 80 }])('with %j as well', (condition) => {
    expect(doorsOf(withRules([{ ...toApi, ...condition }]))).toEqual(['api-in'])
  })

  test('without an inbound they would let everybody in', () => {
    const result = withRules([toApi, { network: 'tcp', outboundTag: 'api' }])
    expect(warningOf(result, 'CFG123', 'routing.rules[1]').message).toContain('it blocks them')
    expect(doorsOf(result)).toEqual(['api-in'])
  })

  test('in the old nesting', () => {
    const value = { api: { tag: 'api', services }, inbounds: [door], outbounds: [{ protocol: 'freedom' }] }
    const result = load({
      ...value,
      routing: { strategy: 'rules', settings: { rules: [{ type: 'field', ...toApi }] } },
    })
    expect(doorsOf(result)).toEqual(['api-in'])
  })

  test('of an inbound that is not there', () => {
    const result = withRules([{ ...toApi, inboundTag: ['api-on'] }])
    expect(codesOf(result).sort()).toEqual(['CFG121', 'CFG141'])
    expect(doorsOf(result)).toEqual(['api-on'])
  })

  test('of an inbound that other machines can reach', () => {
    const open = withRules([{ ...toApi, inboundTag: ['in'] }], [vmess])
    expect(warningOf(open, 'CFG140', 'inbounds[0].tag')).toMatchObject({
      message:
        'this inbound leads to the API, and other machines can reach it: whoever may use it controls this server',
      hint: 'write "listen": "127.0.0.1"',
    })
    warningOf(withRules([toApi], [{ ...door, listen: '192.0.2.1' }]), 'CFG140', 'inbounds[0].listen')
    expect(codesOf(withRules([toApi], [{ ...door, listen: '@api', port: null }]))).toEqual([])
  })
})
