/**
 * Thousands of damaged inputs for every parser of the protocol (with VMESS_LONG=1 a hundred thousand): each gives a value or a ProxyError, nothing else. The
 * damage is reproducible; a failure prints the input.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ErrorCode, isProxyError } from '../../src/core/errors.ts'
import { fnv1a32 } from '../../src/crypto/checksum.ts'
import type { Security } from '../../src/protocol/vmess/body/body.ts'
import { authIdSealer, sealAuthId } from '../../src/protocol/vmess/header/auth-id.ts'
import { legacyAuth } from '../../src/protocol/vmess/header/legacy-auth.ts'
import { type Command, decodeRequest, encodeRequest, requestLength } from '../../src/protocol/vmess/header/request.ts'
import {
  openRequest,
  openRequestLength,
  sealedRequestLength,
  sealLegacyRequest,
  sealRequest,
} from '../../src/protocol/vmess/header/request-seal.ts'
import {
  decodeResponse,
  encodeResponse,
  openResponse,
  openResponseLength,
  responseKeys,
  sealResponse,
} from '../../src/protocol/vmess/header/response.ts'
import { ReplayMemory, SessionHistory } from '../../src/protocol/vmess/replay.ts'
import { ServerSession } from '../../src/protocol/vmess/server.ts'
import { decodeSwitchAccount, encodeSwitchAccount } from '../../src/protocol/vmess/switch-account.ts'
import { UserDirectory } from '../../src/protocol/vmess/users/directory.ts'
import { alterIds, commandKey, parseId, parseUuid } from '../../src/protocol/vmess/users/identity.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'
import { long } from '../support/long.ts'
import { concat, pattern, toHex } from '../support/vectors.ts'
import { sealAll, startMs, testClient, testUser } from '../support/vmess-pair.ts'

const inputs = long ? 100_000 : 15_000
const random = fakeRandom(20_231_114)
const nowS = startMs / 1000
const fresh = (length: number) => random.fill(new Uint8Array(length))
const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!

/** One to three of: flip a bit, set a byte to an extreme, cut off, repeat a piece, put noise behind. */
function damage(bytes: Uint8Array): Uint8Array {
  let out: Uint8Array = bytes.slice()
  for (let n = 1 + random.below(3); n > 0; n--) {
    const at = out.length > 0 ? random.below(out.length) : 0
    switch (random.below(6)) {
      case 0:
      case 1:
        if (out.length > 0) out[at]! ^= 1 << random.below(8)
        break
      case 2:
        if (out.length > 0) out[at] = pick([0, 1, 0x7f, 0x80, 0xff])
        break
      case 3:
        out = out.slice(0, at)
        break
      case 4:
        out = concat(out.subarray(0, at), out.subarray(at, at + random.below(40)), out.subarray(at))
        break
      case 5:
        out = concat(out, fresh(random.below(40)))
    }
  }
  return out
}

/** Makes the checksum at the end right again, so that damage reaches what is behind that check. */
function resummed(plain: Uint8Array): Uint8Array {
  if (plain.length >= 4) new DataView(plain.buffer).setUint32(plain.length - 4, fnv1a32(plain, 0, plain.length - 4))
  return plain
}

/** Runs a parser over inputs and counts what came out: codes of errors, or `value`. */
function survey(next: () => Uint8Array, parse: (input: Uint8Array) => unknown): Map<ErrorCode | 'value', number> {
  const outcomes = new Map<ErrorCode | 'value', number>()
  for (let i = 0; i < inputs; i++) {
    const input = next()
    let outcome: ErrorCode | 'value' = 'value'
    try {
      parse(input)
    } catch (error) {
      if (!isProxyError(error)) throw new Error(`input ${i}: ${toHex(input)}`, { cause: error })
      outcome = error.code
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  return outcomes
}

const user = testUser(4)
const key = commandKey(user.id)
const seal = authIdSealer(key)
const alternatives = alterIds(user.id, user.alterId)

const securities: readonly Security[] = ['aes-128-cfb', 'aes-128-gcm', 'chacha20-poly1305', 'none']
const hosts = ['example.com', '1.2.3.4', '2001:db8::1', 'a', 'x'.repeat(255)]
const commands: readonly Command[] = ['tcp', 'udp', 'mux']
const options = { chunkStream: true, chunkMasking: true, globalPadding: true, authenticatedLength: false }
const fields = () =>
  encodeRequest(
    {
      iv: fresh(16),
      key: fresh(16),
      v: random.below(256),
      options,
      security: pick(securities),
      command: pick(commands),
      target: { host: pick(hosts), port: random.below(65_536) },
    },
    fresh(random.below(16)),
  )
const account = () => ({
  host: pick(['', ...hosts.slice(0, 4)]),
  port: random.below(65_536),
  id: fresh(16),
  alterId: random.below(65_536),
  level: random.below(256),
  validMinutes: random.below(256),
})
const damagedFields = () => (random.below(2) === 0 ? resummed(damage(fields())) : damage(fields()))

/** Bytes in use once the garbage is gone. */
function memory(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
let before = 0
beforeAll(() => {
  before = memory()
})
afterAll(() => {
  expect(memory() - before).toBeLessThan(16 * 1024 * 1024)
})

describe('damaged inputs', { timeout: 120_000 }, () => {
  it('id texts', () => {
    const texts = [
      'b831381d-6324-4d53-ad4f-8cda48b30811',
      'b831381d63244d53ad4f8cda48b30811',
      '我爱🍉老师1314',
      'a',
      '-',
    ]
    const outcomes = survey(
      () => damage(new TextEncoder().encode(pick(texts))),
      (input) => {
        const wide = random.below(4) === 0
        const text = String.fromCharCode(...(wide ? new Uint16Array(input.buffer.slice(0, input.length & ~1)) : input))
        expectId(pick([parseId, parseUuid])(text))
      },
    )
    expect([...outcomes.keys()].sort()).toEqual(['USER_INVALID_ID', 'value'])
  })

  it('request fields', () => {
    const outcomes = survey(damagedFields, (input) => {
      for (let have = 0; have < input.length; ) {
        const wanted = requestLength(input.subarray(0, have))
        if (wanted > 316) throw new Error(`${wanted} bytes are too many`)
        if (wanted <= have) break
        have = wanted
      }
      const { target, key: k, iv } = decodeRequest(input)
      if (target.host.length < 1 || target.host.length > 255 || k.length !== 16 || iv.length !== 16)
        throw new Error('odd')
    })
    for (const code of ['VMESS_HEADER_INVALID', 'VMESS_ADDRESS_INVALID', 'VMESS_CHECKSUM', 'value'] as const) {
      expect(outcomes.get(code)).toBeGreaterThan(100)
    }
  })

  it('requests in AEAD form', () => {
    // One nonce and AuthID: with others nothing of the key derivation could be wrong in another way.
    const authId = sealAuthId(seal, nowS, fresh(4))
    const nonce = fresh(8)
    const wires = Array.from({ length: 500 }, () => sealRequest(key, authId, nonce, damagedFields()))
    const outcomes = survey(
      () => damage(pick(wires)),
      (wire) => {
        const length = wire.length < 42 ? undefined : openRequestLength(key, wire.subarray(0, 42))
        if (length === undefined || sealedRequestLength(length) > wire.length) return
        const plain = openRequest(key, wire.subarray(0, sealedRequestLength(length)))
        if (plain) decodeRequest(plain)
      },
    )
    expect(outcomes.get('value')).toBeGreaterThan(1000)
    expect(outcomes.get('VMESS_CHECKSUM')).toBeGreaterThan(100)
  })

  it('responses', () => {
    const keys = responseKeys('aead', fresh(16), fresh(16))
    const plains = Array.from({ length: 500 }, (_, i) =>
      encodeResponse({ v: 7, options: 0, ...(i % 2 > 0 && { command: account() }) }),
    )
    const wires = plains.map((plain) => sealResponse(keys, random.below(2) > 0 ? plain : damage(plain)))
    const sealed = survey(
      () => damage(pick(wires)),
      (wire) => {
        const length = wire.length < 18 ? undefined : openResponseLength(keys, wire.subarray(0, 18))
        const plain = length === undefined ? undefined : openResponse(keys, wire.subarray(18, 18 + length))
        if (plain) decodeResponse(plain, 7)
      },
    )
    expect(sealed.get('value')).toBeGreaterThan(1000)
    const bare = survey(
      () => damage(pick(plains)),
      (plain) => decodeResponse(plain, 7),
    )
    expect([...bare.keys()].sort()).toEqual(['RESPONSE_AUTH_FAILED', 'RESPONSE_MISMATCH', 'value'])
  })

  it('the switch command', () => {
    let understood = 0
    survey(
      () => {
        const data = damage(encodeSwitchAccount(account())!)
        if (data.length >= 4) new DataView(data.buffer).setUint32(0, fnv1a32(data, 4))
        return data
      },
      (data) => {
        if (decodeSwitchAccount(data)) understood++
      },
    )
    expect(understood).toBeGreaterThan(1000)
    expect(understood).toBeLessThan(inputs)
  })

  it('ServerSession.push', () => {
    const clock = fakeClock(startMs)
    const capacity = 5000
    const shared = {
      clock,
      random,
      users: new UserDirectory([user, testUser(0, { id: fresh(16) })]),
      replay: new ReplayMemory(clock, capacity),
      history: new SessionHistory(clock, capacity),
    }
    const timeS = () => clock.now() / 1000 + random.below(60)
    const makers = [
      () => sealRequest(key, sealAuthId(seal, timeS(), fresh(4)), fresh(8), damagedFields()),
      () => damage(sealRequest(key, sealAuthId(seal, timeS(), fresh(4)), fresh(8), fields())),
      () => concat(sealAuthId(seal, timeS(), fresh(4)), fresh(random.below(100))),
      () => fresh(random.below(80)),
    ]
    const legacy = (plain: Uint8Array) => {
      const at = timeS()
      return sealLegacyRequest(key, legacyAuth(pick(alternatives), at), at, plain)
    }
    const legacyMakers = [() => legacy(damagedFields()), () => legacy(fields()), () => damage(legacy(fields()))]
    let made = 0
    const outcomes = survey(
      () => {
        if (++made % 50 === 0) clock.advance(1000)
        return pick(random.below(8) === 0 ? makers : legacyMakers)()
      },
      (wire) => {
        const session = new ServerSession({ ...shared, disableInsecureEncryption: random.below(4) === 0 })
        const cut = random.below(wire.length + 1)
        const request = session.push(wire.slice(0, cut)) ?? session.push(wire.slice(cut))
        if (!request) throw session.end()
        const body = new Uint8Array(request.opener.room(request.rest.length))
        request.opener.open(request.rest, body)
      },
    )
    expect(shared.replay.size).toBeLessThanOrEqual(capacity)
    expect(shared.history.size).toBeLessThanOrEqual(capacity)
    for (const code of [
      'TRUNCATED',
      'VMESS_ADDRESS_INVALID',
      'VMESS_CHECKSUM',
      'VMESS_COMMAND_UNSUPPORTED',
      'VMESS_HEADER_AUTH_FAILED',
      'VMESS_HEADER_INVALID',
      'VMESS_INSECURE_REFUSED',
      'VMESS_REPLAY',
      'VMESS_UNKNOWN_USER',
      'value',
    ] as const) {
      expect(outcomes.get(code) ?? 0, code).toBeGreaterThan(20)
    }
  })

  it('the client’s opener', () => {
    const clock = fakeClock(startMs)
    const recorded = [0, 2].flatMap((alterId) =>
      securities.map((security) => {
        const who = { ...user, alterId }
        const keys = { key: fresh(16), iv: fresh(16), v: 7 }
        const make = () => testClient(who, clock, { security, keys, target: { host: 'a', port: 1 } })
        const session = new ServerSession({
          clock,
          random,
          users: new UserDirectory([who]),
          replay: new ReplayMemory(clock),
          history: new SessionHistory(clock),
          disableInsecureEncryption: false,
        })
        const request = session.push(make().head())!
        const answer = concat(request.responseHead(account()), sealAll(request.sealer, [pattern(50), pattern(200)]))
        return { make, answer }
      }),
    )
    let current = recorded[0]!
    const outcomes = survey(
      () => {
        current = pick(recorded)
        return damage(current.answer)
      },
      (answer) => {
        const { opener } = current.make()
        const cut = random.below(answer.length + 1)
        for (const piece of [answer.subarray(0, cut), answer.subarray(cut)]) {
          opener.open(piece, new Uint8Array(opener.room(piece.length)))
        }
        opener.end()
      },
    )
    const expected = [
      'BODY_AUTH_FAILED',
      'RESPONSE_AUTH_FAILED',
      'RESPONSE_MISMATCH',
      'RESPONSE_MISSING',
      'TRUNCATED',
      'value',
    ]
    for (const code of expected) expect(outcomes.get(code as ErrorCode) ?? 0, code).toBeGreaterThan(20)
  })
})

function expectId(id: Uint8Array): void {
  if (id.length !== 16) throw new Error(`an id of ${id.length} bytes`)
}
