/** Lists of many users: they are cut into slices, and nothing of them is lost. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { encodeInSlices } from '../../src/api/grpc/encode.ts'
import { createMetrics } from '../../src/api/http/metrics.ts'
import { InstanceControl } from '../../src/app/control/control.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import { type Clock, silentLogger } from '../../src/core/env.ts'
import { fakeRandom } from '../../src/testing/fakes.ts'
import { startApi, type TestApi, userView } from './http-tools.ts'

let api: TestApi
beforeEach(async () => {
  api = await startApi()
})
afterEach(() => api.close())

const count = 2000
const emailOf = (i: number) => `user-${String(i).padStart(4, '0')}@example.com`

/** A millisecond passes with every look at it; counts how often everybody else had their turn. */
function busyClock(): Clock & { turns: number } {
  let elapsed = 0
  return {
    turns: 0,
    now: () => 1_700_000_000_000,
    elapsed: () => elapsed++,
    after(_ms, run) {
      this.turns++
      setImmediate(run)
      return () => {}
    },
  }
}

function manyUsers() {
  const clock = busyClock()
  const env = { clock, random: fakeRandom(1), log: silentLogger }
  const id = (i: number) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`
  const clients = Array.from({ length: count }, (_, i) => ({ id: id(i), ...(i > 2 && { email: emailOf(i) }) }))
  const { config } = loadConfigValue({
    inbounds: ['a', 'b'].map((tag) => ({
      tag,
      listen: '127.0.0.1',
      port: 0,
      protocol: 'vmess',
      settings: { clients },
    })),
    outbounds: [{ protocol: 'freedom' }],
  })
  const instance = new Instance(config!, { env })
  const reload = async () => ({ problems: [] })
  const control = new InstanceControl({ instance, env, version: '1', reload, restartLog() {} })
  for (let i = 3; i < count; i++) instance.counters.of(`user>>>${emailOf(i)}>>>traffic>>>uplink`).add(i)
  return { control, clock }
}

it('a scrape shows all of them, and others have their turn many times meanwhile', async () => {
  const { control, clock } = manyUsers()
  let text = ''
  for await (const piece of createMetrics(control, clock).pieces()) text += piece
  const lines = text.split('\n').filter((line) => line.startsWith('vmess_user_connections{'))
  expect(new Set(lines).size).toBe(count - 3)
  expect(text).toContain(`\nvmess_traffic_bytes_total{owner="user",name="${emailOf(7)}",direction="uplink"} 7\n`)
  expect(clock.turns).toBeGreaterThan(50)
})

it('pages of the control show every user once, those without an e-mail too, and never their ids', async () => {
  const { control, clock } = manyUsers()
  const seen: string[] = []
  const keys: string[] = []
  let after: string | undefined
  do {
    const { items, next }: Awaited<ReturnType<typeof control.userPage>> = await control.userPage({ after, limit: 300 })
    seen.push(...items.map(({ email, inbounds }) => email || inbounds.map(({ tag }) => tag).join()))
    after = next
    if (next !== undefined) keys.push(next)
  } while (after !== undefined)
  expect(seen.slice(0, -6)).toEqual(Array.from({ length: count - 3 }, (_, i) => emailOf(i + 3)))
  expect(seen.slice(-6).sort()).toEqual(['a', 'a', 'a', 'b', 'b', 'b'])
  expect(keys).toHaveLength(6)
  const last = await control.userPage({ limit: 1, after: emailOf(count - 1) })
  expect(last.next).not.toContain('4000-8000')
  expect(clock.turns).toBeGreaterThan(50)
})

it('GET /v1/users, /v1/sessions and /v1/counters come in pages', async () => {
  const { control } = api
  for (let i = 0; i < 5; i++) {
    control.people.set(emailOf(i), userView(emailOf(i)))
    control.counted.of(`user>>>${emailOf(i)}>>>traffic>>>uplink`).add(i)
  }
  const all = async (path: string) => {
    const found: unknown[] = []
    let pages = 0
    for (let next = ''; ; pages++) {
      const { status, json } = await api.call('GET', `${path}?limit=2${next}`)
      expect(status).toBe(200)
      const [list] = Object.values(json)
      found.push(...(Array.isArray(list) ? list : Object.keys(list as object)))
      if (json.next === undefined) return { found, pages: pages + 1 }
      next = `&cursor=${json.next}`
    }
  }
  expect(await all('/v1/users')).toMatchObject({ found: { length: 6 }, pages: 3 })
  expect(await all('/v1/counters')).toMatchObject({ found: { length: 5 }, pages: 3 })
  expect(await all('/v1/sessions')).toMatchObject({ found: { length: 0 }, pages: 1 })
  for (const query of ['limit=0', 'limit=1001', 'limit=x', 'cursor=!', 'page=2']) {
    expect((await api.call('GET', `/v1/users?${query}`)).status, query).toBe(400)
  }
  expect((await api.call('GET', '/v1/sessions?cursor=eHg')).json.error.field).toBe('cursor')
})

it('an answer of gRPC is the same in slices as whole', async () => {
  const { types } = await import('./grpc-tools.ts')
  const { responseSerialize, responseDeserialize } = types.service('app.stats.command.StatsService', 'v2ray')
    .QueryStats!
  const clock = busyClock()
  const answer = { stat: Array.from({ length: count }, (_, i) => ({ name: emailOf(i), value: i })) }
  const bytes = await encodeInSlices(clock, answer, responseSerialize)
  expect(responseDeserialize(bytes)).toMatchObject(answer)
  expect(bytes.equals(responseSerialize(answer))).toBe(true)
})
