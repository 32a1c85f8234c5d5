/** Long lists are read by a short way, which must say and make of each item what the long way does. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inboundOf, loadText, otherUuid, uuid } from './helpers.ts'

const idOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
const ordinary = Array.from({ length: 100 }, (_, i) => JSON.stringify({ id: idOf(i + 1), email: `user${i}` }))

/** A server with one user a line, the first of them on line 2. */
const loadUsers = (users: readonly string[]) =>
  loadText(
    `{"inbounds":[{"protocol":"vmess","port":1,"settings":{"clients":[\n${users.join(',\n')}\n]}}],"outbounds":[{"protocol":"freedom"}]}`,
    { now: 1_700_000_000_000 },
  )

/** What is said and made of `users`, whose list has `before` others in front. */
function read(users: readonly string[], before: readonly string[]) {
  const { problems, config } = loadUsers([...before, ...users])
  const number = (text: string) =>
    text.replaceAll(/clients\[(\d+)\]/g, (_, n) => `clients[${Number(n) - before.length}]`)
  return {
    problems: problems.map((problem) => ({
      ...problem,
      path: number(problem.path),
      message: number(problem.message),
      line: problem.line > 1 ? problem.line - before.length : problem.line,
    })),
    users: config?.inbounds.flatMap((inbound) =>
      inbound.protocol === 'vmess' ? inbound.settings.users.slice(before.length) : [],
    ),
  }
}

const user = (fields: object) => JSON.stringify({ id: idOf(999), ...fields })
const odd = [
  user({}),
  user({ email: 'a@b', level: 1, alterId: 3, security: 'auto', experiments: 'AuthenticatedLength' }),
  user({ email: 'A@B' }),
  user({ email: 'two\nlines' }),
  user({ id: uuid.toUpperCase() }),
  user({ id: uuid.slice(0, 30) }),
  user({ id: ` ${otherUuid}` }),
  user({ id: 'garden gate' }),
  user({ id: '00000000-0000-0000-0000-000000000000' }),
  user({ id: null, uuid: otherUuid }),
  user({ id: 5 }),
  user({ alterId: '3' }),
  user({ alterId: 101 }),
  user({ alterId: -1 }),
  user({ level: 4294967296 }),
  user({ levels: 1 }),
  user({ Email: 'c@d' }),
  user({ experiments: 'Nothing' }),
  user({ email: 'l@x', limits: { quota: '5 GB', connections: 2 } }),
  user({ limits: { quota: 5 } }),
  user({ email: 'l@x', limits: { quota: '5 XB' } }),
  user({ email: 'l@y', limits: { expires: '2020-01-01', expiresAfter: 5 } }),
  user({ email: 'l@y', limits: { speed: 1 } }),
  user({ email: 'l@z', limits: {} }),
  user({ email: 'p@x', limitIp: 3, totalGB: 0, expiryTime: -86_400_000, enable: true, tgId: '', subId: 'x', reset: 0 }),
  user({ email: 'p@y', reset: 30, expiryTime: 1_600_000_000_000, comment: null }),
  '{"id":"garden","level":1e0}',
  '{"id":"garden","level":1.0}',
  '{"id":"garden","level":-0}',
  '{"id":"garden","alterId":100,"alterId":1e2}',
  '{"id":"gate","id":"garden"}',
  `{"\\u0069d":"${uuid}"}`,
  `"${uuid}"`,
  '""',
  'null',
  '{}',
  '[]',
  '7',
]

describe('a list of many users', () => {
  test.each(odd)('%s', (entry) => {
    expect(read([entry], ordinary)).toEqual(read([entry], ordinary.slice(0, 1)))
  })

  test('all of them together, in any order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(odd, { minLength: 2 }), (users) => {
        expect(read(users, ordinary)).toEqual(read(users, ordinary.slice(0, 1)))
      }),
      { numRuns: 15 },
    )
  })

  test('two of a long list that share an e-mail or an id', () => {
    const { problems } = loadUsers([...ordinary, user({ email: 'User3' }), JSON.stringify({ id: idOf(8) })])
    expect(problems.map(({ code, path, line }) => ({ code, path, line }))).toEqual([
      { code: 'CFG055', path: 'inbounds[0].settings.clients[100].email', line: 102 },
      { code: 'CFG054', path: 'inbounds[0].settings.clients[101].id', line: 103 },
    ])
    expect(problems.map(({ message }) => message)).toEqual([
      'the e-mail "User3" already belongs to inbounds[0].settings.clients[3]',
      'the id "00000000…" is also that of inbounds[0].settings.clients[7]; this later user wins',
    ])
  })

  test('bare ids, all of them and the one that is wrong', () => {
    const ids = Array.from({ length: 100 }, (_, i) => JSON.stringify(idOf(i + 1)))
    expect(inboundOf(loadUsers(ids), 'vmess').settings.users).toHaveLength(100)
    const { problems } = loadUsers([...ids, `"${'x'.repeat(31)}"`])
    expect(problems).toMatchObject([{ code: 'CFG051', path: 'inbounds[0].settings.clients[100]', line: 102 }])
  })

  test('a syntax error in the middle is told as ever', () => {
    const { problems } = loadUsers([...ordinary, '{"id": "a" "email": "b"}'])
    expect(problems).toMatchObject([{ code: 'CFG001', line: 102, column: 12 }])
  })
})
