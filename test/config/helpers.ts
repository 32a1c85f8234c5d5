import { expect } from 'vitest'
import { type LoadOptions, type LoadResult, loadConfig, type Problem } from '../../src/config/load.ts'
import type { Config, InboundConfig, OutboundConfig } from '../../src/settings/model.ts'

export const uuid = '8e3d2f6a-51c7-4b0e-9a44-6f0b7d1c2e95'
export const otherUuid = '9d8c7b6a-5f4e-4321-b0a9-8f7e6d5c4b3a'

type Json = Readonly<Record<string, unknown>>

/** Loads a value written out as JSON, so that positions are those of a file. */
export function load(root: unknown, options?: LoadOptions): LoadResult {
  return loadText(JSON.stringify(root, null, 2), options)
}

export const loadText = (text: string, options?: LoadOptions): LoadResult =>
  loadConfig([{ name: 'config.json', text }], options)

/** A file with this inbound and a freedom outbound. */
export const withInbound = (inbound: Json, rest: Json = {}): Json => ({
  inbounds: [{ protocol: 'vmess', port: 10086, ...inbound }],
  outbounds: [{ protocol: 'freedom' }],
  ...rest,
})

/** A file with this outbound and a SOCKS inbound on loopback. */
export const withOutbound = (outbound: Json, rest: Json = {}): Json => ({
  inbounds: [{ listen: '127.0.0.1', port: 1080, protocol: 'socks' }],
  outbounds: [outbound],
  ...rest,
})

export const vmessIn = (settings: Json, inbound: Json = {}): Json => withInbound({ settings, ...inbound })

/** A vmess outbound with one server and one user. */
export const vmessOut = (user: Json = {}, server: Json = {}, outbound: Json = {}): Json =>
  withOutbound({
    protocol: 'vmess',
    settings: { vnext: [{ address: 'a.example', port: 443, users: [{ id: uuid, ...user }], ...server }] },
    ...outbound,
  })

/** The configuration, after a run without errors. */
export function configOf(result: LoadResult): Config {
  expect(result.problems.filter(({ severity }) => severity === 'error')).toEqual([])
  return result.config!
}

/** The configuration, after a run in which nothing was said. */
export function quietConfigOf(result: LoadResult): Config {
  expect(result.problems).toEqual([])
  return result.config!
}

type Inbound<P> = Extract<InboundConfig, { protocol: P }>
type Outbound<P> = Extract<OutboundConfig, { protocol: P }>

export const inboundOf = <P extends InboundConfig['protocol']>(result: LoadResult, protocol: P): Inbound<P> => {
  const inbound = configOf(result).inbounds[0]!
  expect(inbound.protocol).toBe(protocol)
  return inbound as Inbound<P>
}

export const outboundOf = <P extends OutboundConfig['protocol']>(result: LoadResult, protocol: P): Outbound<P> => {
  const outbound = configOf(result).outbounds[0]!
  expect(outbound.protocol).toBe(protocol)
  return outbound as Outbound<P>
}

/** First user of the first server of the first outbound. */
export const userOf = (result: LoadResult) => outboundOf(result, 'vmess').settings.servers[0]!.users[0]!

export const codesOf = ({ problems }: LoadResult): string[] => problems.map(({ code }) => code)

/** The only problem of that code, which must be of that severity and, when given, at that path. */
export function problemOf(result: LoadResult, severity: Problem['severity'], code: string, path?: string): Problem {
  const found = result.problems.filter(
    (problem) => problem.code === code && (path === undefined || problem.path === path),
  )
  const others = result.problems.map(
    (problem) => `${problem.severity} ${problem.code} ${problem.path}: ${problem.message}`,
  )
  expect(found, `expected ${code} at ${path ?? 'one place'}, found:\n${others.join('\n')}`).toHaveLength(1)
  expect(found[0]!.severity).toBe(severity)
  expect(result.config === undefined).toBe(result.problems.some((problem) => problem.severity === 'error'))
  return found[0]!
}

export const errorOf = (result: LoadResult, code: string, path?: string): Problem =>
  problemOf(result, 'error', code, path)
export const warningOf = (result: LoadResult, code: string, path?: string): Problem =>
  problemOf(result, 'warning', code, path)
