import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ProxyError } from '../../src/core/errors.ts'
import { sessionView, startApi, startMs, type TestApi, userView } from './http-tools.ts'

let api: TestApi
beforeEach(async () => {
  api = await startApi()
})
afterEach(() => api.close())

describe('state', () => {
  it('says that it is alive, and whether it is ready', async () => {
    expect(await api.call('GET', '/health')).toMatchObject({ status: 200, json: { status: 'ok' } })
    expect(await api.call('GET', '/ready')).toMatchObject({ status: 200, json: { ready: true } })
    api.control.ready = false
    expect(await api.call('GET', '/ready')).toMatchObject({ status: 503, json: { ready: false } })
  })

  it('shows the status', async () => {
    expect((await api.call('GET', '/v1/status')).json).toEqual({
      version: '0.1.0',
      startedAt: '2026-03-01T12:00:00.000Z',
      uptime: 60,
      connections: 3,
      sessions: 0,
      users: 1,
      ready: true,
    })
  })

  it('shows counters whose name contains the pattern', async () => {
    api.control.counted.of('user>>>love@example.com>>>traffic>>>uplink').value = 48
    api.control.counted.of('inbound>>>in>>>traffic>>>uplink').value = 50
    expect((await api.call('GET', '/v1/counters')).json.counters).toEqual({
      'user>>>love@example.com>>>traffic>>>uplink': 48,
      'inbound>>>in>>>traffic>>>uplink': 50,
    })
    const some = await api.call('GET', `/v1/counters?pattern=${encodeURIComponent('user>>>')}`)
    expect(Object.keys(some.json.counters)).toEqual(['user>>>love@example.com>>>traffic>>>uplink'])
  })

  it('shows handshakes, inbounds and outbounds', async () => {
    expect((await api.call('GET', '/v1/handshakes')).json.handshakes).toEqual([
      { inbound: 'in', outcome: 'accepted', reason: '', count: 5 },
      { inbound: 'in', outcome: 'refused', reason: 'VMESS_UNKNOWN_USER', count: 2 },
    ])
    expect((await api.call('GET', '/v1/endings')).json.endings).toEqual([
      { inbound: 'in', reason: 'USER_QUOTA', count: 1 },
    ])
    expect((await api.call('GET', '/v1/inbounds')).json.inbounds).toEqual([
      { tag: 'in', protocol: 'vmess', listening: ['127.0.0.1:10086'], connections: 3, users: 1 },
    ])
    expect((await api.call('GET', '/v1/outbounds')).json.outbounds).toEqual([{ tag: 'direct', protocol: 'freedom' }])
  })
})

describe('users', () => {
  it('are listed, and found one by one', async () => {
    const { json } = await api.call('GET', '/v1/users')
    expect(json.users).toHaveLength(1)
    const one = await api.call('GET', '/v1/users/love@example.com')
    expect(one.json).toEqual(json.users[0])
    expect(one.json).toEqual({
      email: 'love@example.com',
      inbounds: [{ tag: 'in', id: 'b831381d…', level: 0, alterId: 0 }],
      limits: {
        enabled: true,
        uplink: 0,
        downlink: 0,
        connections: 0,
        addresses: 0,
        addressGrace: 60,
        quota: 0,
        expires: null,
        expiresAfter: 0,
      },
      used: { uplink: 10, downlink: 20 },
      firstUse: null,
      connections: 0,
      addresses: [],
    })
    expect(await api.call('GET', '/v1/users/nobody')).toMatchObject({
      status: 404,
      json: { error: { code: 'CONTROL_NOT_FOUND', message: 'there is no user "nobody"' } },
    })
  })

  it('are found whatever characters the e-mail has', async () => {
    for (const email of ['a/b', 'a b', '50%', '50%25', 'ключ', '?x=1#y', 'a+b@c']) {
      api.control.people.set(email, userView(email))
      const path = `/v1/users/${encodeURIComponent(email)}`
      expect((await api.call('GET', path)).json.email).toBe(email)
      expect((await api.call('POST', `${path}/reset-usage`)).json.used).toEqual({ uplink: 0, downlink: 0 })
    }
  })

  it('are added, and the id is told in full then only', async () => {
    const limits = { enabled: false, uplink: 5_000_000, connections: 10, quota: null, expires: '2026-12-31T00:00:00Z' }
    const added = await api.call('POST', '/v1/users', { inbound: 'in', email: 'new@example.com', level: 1, limits })
    expect(added.status).toBe(201)
    expect(added.json).toMatchObject({
      email: 'new@example.com',
      id: 'b831381d-6324-4d53-ad4f-8cda48b30811',
      limits: { enabled: false, uplink: 5_000_000, quota: 0, expires: '2026-12-31T00:00:00.000Z' },
    })
    expect(api.control.calls).toEqual([
      [
        'addUser',
        'in',
        {
          email: 'new@example.com',
          level: 1,
          limits: { enabled: false, uplink: 5_000_000, connections: 10, quota: null, expires: '2026-12-31T00:00:00Z' },
        },
      ],
    ])
    expect(JSON.stringify((await api.call('GET', '/v1/users')).json)).not.toContain('b831381d-6324')
  })

  it.each([
    ['a tag that is not there', { inbound: 'out', email: 'a' }, 404, 'CONTROL_NOT_FOUND', undefined],
    ['an e-mail that is there', { inbound: 'in', email: 'love@example.com' }, 409, 'CONTROL_CONFLICT', undefined],
    ['an impossible id', { inbound: 'in', email: 'a', id: 'x'.repeat(31) }, 400, 'USER_INVALID_ID', undefined],
    ['no e-mail', { inbound: 'in' }, 400, 'CONTROL_INVALID', 'email'],
    ['an empty e-mail', { inbound: 'in', email: '' }, 400, 'CONTROL_INVALID', 'email'],
    ['a number for an e-mail', { inbound: 'in', email: 5 }, 400, 'CONTROL_INVALID', 'email'],
    ['an unknown field', { inbound: 'in', email: 'a', levle: 1 }, 400, 'CONTROL_INVALID', 'levle'],
    ['an unknown limit', { inbound: 'in', email: 'a', limits: { quotta: 1 } }, 400, 'CONTROL_INVALID', 'limits.quotta'],
    ['a level out of range', { inbound: 'in', email: 'a', level: -1 }, 400, 'CONTROL_INVALID', 'level'],
    [
      'half a connection',
      { inbound: 'in', email: 'a', limits: { connections: 0.5 } },
      400,
      'CONTROL_INVALID',
      'limits.connections',
    ],
    ['a quota below 0', { inbound: 'in', email: 'a', limits: { quota: -1 } }, 400, 'CONTROL_INVALID', 'limits.quota'],
    [
      'a quota that is none',
      { inbound: 'in', email: 'a', limits: { quota: 'much' } },
      400,
      'CONTROL_INVALID',
      'limits.quota',
    ],
    [
      'a truth for a quota',
      { inbound: 'in', email: 'a', limits: { quota: true } },
      400,
      'CONTROL_INVALID',
      'limits.quota',
    ],
    [
      'a date that is none',
      { inbound: 'in', email: 'a', limits: { expires: 'soon' } },
      400,
      'CONTROL_INVALID',
      'limits.expires',
    ],
    ['a list', [], 400, 'CONTROL_INVALID', undefined],
    ['what is no JSON', '{"inbound":', 400, 'CONTROL_INVALID', undefined],
  ])('are not added with %s', async (_what, body, status, code, field) => {
    const { status: got, json } = await api.call('POST', '/v1/users', body)
    expect({ got, code: json.error.code, field: json.error.field }).toEqual({ got: status, code, field })
    expect(json.error.message).not.toBe('')
    expect(api.control.people.size).toBe(1)
  })

  it.each([
    [{ inbound: 'in', email: 5 }, 'email: a text is expected'],
    [{ inbound: 'in', email: '' }, 'email: must not be empty'],
    [{ inbound: 'in', email: 'a', level: 1.5 }, 'level: a whole number is expected'],
    [{ inbound: 'in', email: 'a', level: '1' }, 'level: a number is expected'],
    [{ inbound: 'in', email: 'a', level: -1 }, 'level: must be 0 or more'],
    [{ inbound: 'in', email: 'a', alterId: 65_536 }, 'alterId: must be 65535 or less'],
    [{ inbound: 'in', email: 'a'.repeat(257) }, 'email: must have 256 characters or less'],
    [{ inbound: 'in', email: 'a', limits: { enabled: 1 } }, 'limits.enabled: true or false is expected'],
    [{ inbound: 'in', email: 'a', limits: 5 }, 'limits: an object { … } is expected'],
    [[], 'an object { … } is expected'],
    ['', 'the body is not JSON: it is empty'],
    ['{"inbound":', 'the body is not JSON: it ends too early'],
    ['{"inbound": "in",\n "email": "a" "level": 1}', 'the body is not JSON: see line 2, column 15'],
    ['nope', 'the body is not JSON: unexpected "o"'],
  ])('say in plain words what is wrong with %j', async (body, message) => {
    const { status, json } = await api.call('POST', '/v1/users', body)
    expect(status).toBe(400)
    expect(json.error.message).toBe(message)
  })

  it('are refused when no path, label or line of a log could name them', async () => {
    for (const email of ['.', '..', 'a\nb', 'a\0b', 'a\u0085b', 'a\u2028b', 'half a \ud83d', '😀'.repeat(129)]) {
      const { status, json } = await api.call('POST', '/v1/users', { inbound: 'in', email })
      expect({ status, field: json.error?.field }, JSON.stringify(email)).toEqual({ status: 400, field: 'email' })
    }
    for (const email of ['...', '>>>', ' a b', '😀']) {
      expect(await api.call('POST', '/v1/users', { inbound: 'in', email }), email).toMatchObject({ status: 201 })
    }
  })

  it('says what a mistyped field may have meant', async () => {
    const { json } = await api.call('PATCH', '/v1/users/love@example.com', { limits: { conections: 1 } })
    expect(json.error.message).toBe('unknown field "conections"; did you mean "connections"?')
    const missing = await api.call('POST', '/v1/users', { email: 'a' })
    expect(missing.json.error.message).toBe('inbound: is missing')
  })

  it('are changed; null takes a limit away, and what is not named stays', async () => {
    await api.call('PATCH', '/v1/users/love@example.com', { level: 2, limits: { quota: 1000, uplink: 5 } })
    const { status, json } = await api.call('PATCH', '/v1/users/love@example.com', {
      limits: { quota: null, expires: null, downlink: null },
    })
    expect(status).toBe(200)
    expect(json.limits).toMatchObject({ quota: 0, uplink: 5, downlink: 0, expires: null })
    expect(api.control.calls).toEqual([
      ['changeUser', 'love@example.com', { level: 2, limits: { quota: 1000, uplink: 5 } }],
      ['changeUser', 'love@example.com', { limits: { quota: null, expires: null, downlink: null } }],
    ])
    expect(await api.call('PATCH', '/v1/users/nobody', {})).toMatchObject({ status: 404 })
    const wrong = await api.call('PATCH', '/v1/users/love@example.com', { email: 'b' })
    expect(wrong).toMatchObject({ status: 400, json: { error: { field: 'email' } } })
  })

  it('have limits in the words of the configuration', async () => {
    const limits = {
      uplink: '5 MB/s',
      downlink: '40 Mbit/s',
      quota: '100 GB',
      expires: '2026-12-31',
      expiresAfter: '30 days',
      addressGrace: 5,
    }
    const { json } = await api.call('PATCH', '/v1/users/love@example.com', { limits })
    expect(json.limits).toMatchObject({
      uplink: 5_000_000,
      downlink: 5_000_000,
      quota: 100_000_000_000,
      expires: '2027-01-01T00:00:00.000Z',
      expiresAfter: 2_592_000,
      addressGrace: 5,
    })
    const wrong = await api.call('PATCH', '/v1/users/love@example.com', { limits: { uplink: 'fast' } })
    expect(wrong).toMatchObject({
      status: 400,
      json: { error: { message: expect.stringContaining('limits.uplink: found "fast"'), field: 'limits.uplink' } },
    })
    expect(wrong.json.error.message).toContain('5 MB/s')
  })

  it('takes back the limits that it shows', async () => {
    const { json } = await api.call('GET', '/v1/users/love@example.com')
    expect(await api.call('PATCH', '/v1/users/love@example.com', { limits: json.limits })).toMatchObject({
      status: 200,
      json: { limits: json.limits },
    })
  })

  it('are removed, from one inbound or all', async () => {
    const removed = await api.call('DELETE', '/v1/users/love@example.com?inbound=in')
    expect(removed).toMatchObject({ status: 200, json: { ended: 2 } })
    expect(api.control.calls).toEqual([['removeUser', 'love@example.com', 'in']])
    expect(await api.call('DELETE', '/v1/users/love@example.com')).toMatchObject({ status: 404 })
    // A word of the query that is not understood must not remove more than was meant.
    api.control.people.set('a', userView('a'))
    expect(await api.call('DELETE', '/v1/users/a?inbond=in')).toMatchObject({
      status: 400,
      json: { error: { field: 'inbond' } },
    })
    expect(api.control.people.has('a')).toBe(true)
  })

  it('have their usage reset and their sessions ended', async () => {
    expect((await api.call('POST', '/v1/users/love@example.com/reset-usage')).json.used).toEqual({
      uplink: 0,
      downlink: 0,
    })
    expect((await api.call('DELETE', '/v1/users/love@example.com/sessions')).json).toEqual({ ended: 3 })
    expect(await api.call('POST', '/v1/users/nobody/reset-usage')).toMatchObject({ status: 404 })
    expect(await api.call('DELETE', '/v1/users/nobody/sessions')).toMatchObject({ status: 404 })
  })
})

describe('sessions', () => {
  it('are listed and filtered', async () => {
    api.control.live.set(1, sessionView(1))
    api.control.live.set(2, sessionView(2, { email: 'b', inbound: 'other' }))
    const ids = async (query: string) =>
      (await api.call('GET', `/v1/sessions${query}`)).json.sessions.map(({ id }: { id: number }) => id)
    expect(await ids('')).toEqual([1, 2])
    expect(await ids('?email=LOVE@example.com')).toEqual([1])
    expect(await ids('?inbound=other')).toEqual([2])
    expect(await ids('?email=b&inbound=in')).toEqual([])
    expect((await api.call('GET', '/v1/sessions?user=b')).status).toBe(400)
  })

  it('have the average speed on the first question, then that of the last second', async () => {
    const { control, clock } = api
    const ask = async () => (await api.call('GET', '/v1/sessions')).json.sessions[0]
    control.live.set(1, sessionView(1, { totals: { uplink: 4000, downlink: 400_000 }, startedAt: startMs - 4000 }))
    expect(await ask()).toEqual({
      ...sessionView(1),
      startedAt: '2026-03-01T11:59:56.000Z',
      totals: { uplink: 4000, downlink: 400_000 },
      speed: { uplink: 1000, downlink: 100_000 },
    })
    control.live.set(1, sessionView(1, { totals: { uplink: 4000, downlink: 900_000 } }))
    clock.advance(1000)
    expect((await ask()).speed).toEqual({ uplink: 0, downlink: 500_000 })
    clock.advance(9000)
    expect((await ask()).speed).toEqual({ uplink: 0, downlink: 0 })
  })

  it('are not sampled any more when nobody has asked for ten seconds', async () => {
    await api.call('GET', '/v1/sessions')
    expect(api.clock.pending).toBe(0)
    api.control.live.set(1, sessionView(1))
    await api.call('GET', '/v1/sessions')
    expect(api.clock.pending).toBe(1)
    api.clock.advance(9000)
    expect(api.clock.pending).toBe(1)
    api.clock.advance(2000)
    expect(api.clock.pending).toBe(0)
  })

  it('are ended', async () => {
    api.control.live.set(7, sessionView(7))
    expect(await api.call('DELETE', '/v1/sessions/7')).toMatchObject({ status: 200, json: { ended: 1 } })
    expect(await api.call('DELETE', '/v1/sessions/7')).toMatchObject({
      status: 404,
      json: { error: { code: 'CONTROL_NOT_FOUND' } },
    })
    expect(await api.call('DELETE', '/v1/sessions/x7')).toMatchObject({
      status: 400,
      json: { error: { code: 'CONTROL_INVALID', field: 'id' } },
    })
  })
})

describe('reload', () => {
  it('reports what has changed', async () => {
    expect(await api.call('POST', '/v1/reload')).toMatchObject({
      status: 200,
      json: { inbounds: { added: ['new'], changed: [], removed: [] }, users: { added: 1 }, restart: [], warnings: [] },
    })
  })

  it('says why it was refused', async () => {
    api.control.reload = () => Promise.resolve({ problems: ['config.json:1:2  error  …'] })
    expect(await api.call('POST', '/v1/reload')).toMatchObject({
      status: 422,
      json: { error: { code: 'CONFIG_INVALID', problems: ['config.json:1:2  error  …'] } },
    })
  })

  it.each([
    ['LISTEN_FAILED', 409],
    ['CONFIG_INVALID', 422],
    ['SHUTTING_DOWN', 503],
    ['STORE_FAILED', 500],
  ] as const)('answers %s with %i', async (code, status) => {
    api.control.reload = () => Promise.reject(new ProxyError(code, 'because', { hint: 'try' }))
    expect(await api.call('POST', '/v1/reload')).toMatchObject({
      status,
      json: { error: { code, message: 'because', hint: 'try' } },
    })
  })

  it('keeps what nobody foresaw out of the answer', async () => {
    api.control.reload = () => Promise.reject(new TypeError('secret of the inside'))
    const { status, json } = await api.call('POST', '/v1/reload')
    expect(status).toBe(500)
    expect(json.error.code).toBe('INTERNAL')
    expect(JSON.stringify(json)).not.toContain('inside')
  })
})

it.each([
  ['PUT', '/v1/users', 'GET, POST'],
  ['PUT', '/v1/users/love@example.com', 'GET, PATCH, DELETE'],
  ['POST', '/v1/sessions/1', 'DELETE'],
  ['DELETE', '/metrics', 'GET'],
])('says which methods a path takes: %s %s', async (method, path, allowed) => {
  const answer = await api.call(method, path)
  expect(answer).toMatchObject({
    status: 405,
    json: { error: { code: 'METHOD_NOT_ALLOWED', hint: `it takes ${allowed}` } },
  })
  expect(answer.headers.get('allow')).toBe(allowed)
})

it('answers an unknown route in the same form', async () => {
  for (const [method, path] of [
    ['GET', '/v1/nothing'],
    ['GET', '/'],
    ['GET', '/v1/users/'],
  ] as const) {
    expect(await api.call(method, path)).toMatchObject({ status: 404, json: { error: { code: 'ROUTE_UNKNOWN' } } })
  }
})

it('is never cached and lets no other origin in', async () => {
  for (const path of ['/v1/status', '/health', '/v1/nothing', '/metrics']) {
    const { headers } = await api.call('GET', path)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('access-control-allow-origin')).toBeNull()
  }
})
