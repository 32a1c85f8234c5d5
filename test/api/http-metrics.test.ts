import { afterEach, beforeEach, expect, it } from 'vitest'
import { noLimits, startApi, type TestApi, userView } from './http-tools.ts'

let api: TestApi
beforeEach(async () => {
  api = await startApi()
})
afterEach(() => api.close())

/** The text format of Prometheus, read strictly: every sample belongs to a family that was declared before it. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>()
  const types = new Map<string, string>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ')) continue
    const type = /^# TYPE (\S+) (counter|gauge)$/.exec(line)
    if (type) {
      types.set(type[1]!, type[2]!)
      continue
    }
    const sample = /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)$/.exec(line)
    expect(sample, line).not.toBeNull()
    const [, name, labels = '', value] = sample!
    expect(types.has(name!), line).toBe(true)
    if (types.get(name!) === 'counter') expect(name).toMatch(/_total$/)
    expect(Number.isFinite(Number(value)), line).toBe(true)
    expect(samples.has(name! + labels), line).toBe(false)
    samples.set(name! + labels, Number(value))
  }
  return samples
}

const scrape = async () => {
  const { status, headers, json } = await api.call('GET', '/metrics')
  expect(status).toBe(200)
  expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  return parse(json)
}

it('shows what the control knows', async () => {
  const { control } = api
  control.counted.of('user>>>love@example.com>>>traffic>>>uplink').value = 48
  control.counted.of('inbound>>>in>>>traffic>>>downlink').value = 50
  control.counted.of('user>>>odd>>>name>>>traffic>>>uplink').value = 1
  control.counted.of('something else').value = 2
  control.people.set('b', userView('b', { limits: { ...noLimits, quota: 1000 }, connections: 2 }))
  control.people.set('', userView(''))
  const samples = await scrape()
  const own = [...samples].filter(([name]) => name.startsWith('vmess_'))
  expect(Object.fromEntries(own)).toEqual({
    vmess_up: 1,
    'vmess_build_info{version="0.1.0"}': 1,
    vmess_start_time_seconds: 1_772_366_400,
    'vmess_traffic_bytes_total{owner="user",name="love@example.com",direction="uplink"}': 48,
    'vmess_traffic_bytes_total{owner="inbound",name="in",direction="downlink"}': 50,
    'vmess_traffic_bytes_total{owner="user",name="odd>>>name",direction="uplink"}': 1,
    'vmess_connections{inbound="in"}': 3,
    vmess_sessions: 0,
    vmess_users: 3,
    'vmess_handshakes_total{inbound="in",outcome="accepted",reason=""}': 5,
    'vmess_handshakes_total{inbound="in",outcome="refused",reason="VMESS_UNKNOWN_USER"}': 2,
    'vmess_sessions_ended_total{inbound="in",reason="USER_QUOTA"}': 1,
    'vmess_user_used_bytes{email="love@example.com",direction="uplink"}': 10,
    'vmess_user_used_bytes{email="love@example.com",direction="downlink"}': 20,
    'vmess_user_used_bytes{email="b",direction="uplink"}': 10,
    'vmess_user_used_bytes{email="b",direction="downlink"}': 20,
    'vmess_user_quota_bytes{email="b"}': 1000,
    'vmess_user_connections{email="love@example.com"}': 0,
    'vmess_user_connections{email="b"}': 2,
  })
  for (const name of ['process_resident_memory_bytes', 'process_cpu_seconds_total', 'nodejs_heap_used_bytes']) {
    expect(samples.get(name)).toBeGreaterThan(0)
  }
})

it('shows each time what is so then, and forgets users that are gone', async () => {
  const { control } = api
  const counter = control.counted.of('inbound>>>in>>>traffic>>>uplink')
  const name = 'vmess_traffic_bytes_total{owner="inbound",name="in",direction="uplink"}'
  counter.value = 5
  expect((await scrape()).get(name)).toBe(5)
  counter.value = 7
  control.people.clear()
  control.ready = false
  const samples = await scrape()
  expect(samples.get(name)).toBe(7)
  expect(samples.get('vmess_up')).toBe(0)
  expect([...samples.keys()].filter((key) => key.includes('email'))).toEqual([])
})

it('is well-formed whatever an e-mail holds', async () => {
  const email = 'a"b\\c\nd{e}'
  api.control.people.set(email, userView(email))
  expect((await scrape()).get('vmess_user_connections{email="a\\"b\\\\c\\nd{e}"}')).toBe(0)
})
