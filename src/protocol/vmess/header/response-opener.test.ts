import { describe, expect, it } from 'vitest'
import { concat } from '../../../../test/support/vectors.ts'
import { openAll, sealAll, testClient, testServer, testUser } from '../../../../test/support/vmess-pair.ts'
import type { SwitchAccount } from '../switch-account.ts'

const command: SwitchAccount = {
  host: 'other.example',
  port: 12_345,
  id: new Uint8Array(16).fill(4),
  alterId: 8,
  level: 2,
  validMinutes: 3,
}

/** A client whose opener tells what became of the answer, and that answer. */
function exchange(alterId: number, named?: SwitchAccount) {
  const user = testUser(alterId)
  const server = testServer([user])
  const told: unknown[] = []
  const client = testClient(user, server.clock, {
    answered: (command) => void told.push(['answered', command]),
    unanswered: () => void told.push('unanswered'),
  })
  const request = server.accept().push(client.head())!
  return { opener: client.opener, answer: request.responseHead(named), sealer: request.sealer, told }
}

describe.each([0, 4])('ResponseOpener tells, alterId %i', (alterId) => {
  it('once that the server has answered, with its command', () => {
    for (const named of [undefined, command]) {
      const { opener, answer, told } = exchange(alterId, named)
      openAll(opener, [answer.subarray(0, 5), answer.subarray(5)])
      opener.end()
      expect(told).toEqual([['answered', named]])
    }
  })

  it.each([0, 1, 3])('that the server closed after %i bytes', (length) => {
    const { opener, answer, told } = exchange(alterId)
    openAll(opener, [answer.subarray(0, length)])
    expect(told).toEqual([])
    expect(() => opener.end()).toThrow(expect.objectContaining({ code: 'RESPONSE_MISSING' }))
    expect(told).toEqual(['unanswered'])
  })

  it('once that the header does not open', () => {
    const { opener, answer, told } = exchange(alterId)
    answer[0]! ^= 1
    for (let i = 0; i < 2; i++) expect(() => openAll(opener, [answer])).toThrow(/header|response/)
    expect(() => opener.end()).toThrow(/header|response/)
    expect(told).toEqual(['unanswered'])
  })

  it('nothing more when the body behind the header is broken', () => {
    const { opener, answer, sealer, told } = exchange(alterId)
    const body = sealAll(sealer, [new Uint8Array(100)], false)
    body[20]! ^= 1
    const broken = concat(answer, body)
    expect(() => openAll(opener, [broken])).toThrow(expect.objectContaining({ code: expect.stringMatching(/^BODY_/) }))
    expect(() => opener.end()).toThrow(expect.objectContaining({ code: expect.stringMatching(/^BODY_/) }))
    expect(told).toEqual([['answered', undefined]])
  })
})
