import { describe, expect, it } from 'vitest'
import { ClientSession } from '../../protocol/vmess/client.ts'
import { ReplayMemory, SessionHistory } from '../../protocol/vmess/replay.ts'
import { ServerSession } from '../../protocol/vmess/server.ts'
import { type LegacyUsers, UserDirectory } from '../../protocol/vmess/users/directory.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { readSwitches } from './switches.ts'

describe('readSwitches', () => {
  it('takes both spellings of V2Ray’s names', () => {
    expect(readSwitches({})).toEqual({ legacyHeader: false, legacyUsers: 'alterId', coneDisabled: false })
    expect(readSwitches({ 'v2ray.vmess.aead.disabled': 'true' }).legacyHeader).toBe(true)
    expect(readSwitches({ V2RAY_VMESS_AEAD_DISABLED: 'true' }).legacyHeader).toBe(true)
    expect(readSwitches({ V2RAY_VMESS_AEAD_FORCED: 'false' }).legacyUsers).toBe('all')
    expect(readSwitches({ 'v2ray.vmess.aead.forced': 'true' }).legacyUsers).toBe('none')
    expect(readSwitches({ 'xray.cone.disabled': 'true' }).coneDisabled).toBe(true)
    expect(readSwitches({ XRAY_CONE_DISABLED: 'true' }).coneDisabled).toBe(true)
    expect(readSwitches({ XRAY_CONE_DISABLED: '1' }).coneDisabled).toBe(false)
  })
})

describe('who may send a legacy header', () => {
  const clock = fakeClock(1_700_000_000_000)
  const experiments = { authenticatedLength: false, noTerminationSignal: false }

  function modeAt(alterId: number, legacyUsers: LegacyUsers): string | undefined {
    const user = { id: new Uint8Array(16).fill(9), alterId, level: 0, email: '', experiments }
    const client = new ClientSession({
      user,
      legacyHeader: true,
      security: 'aes-128-gcm',
      command: 'tcp',
      target: { host: 'example.com', port: 80 },
      experiments,
      clock,
      random: fakeRandom(alterId + 1),
    })
    const server = new ServerSession({
      users: new UserDirectory([user], legacyUsers),
      replay: new ReplayMemory(clock),
      history: new SessionHistory(clock),
      clock,
      random: fakeRandom(7),
      disableInsecureEncryption: false,
    })
    return server.push(client.head())?.mode
  }

  it('is decided by alterId unless the environment says otherwise', () => {
    expect(modeAt(4, 'alterId')).toBe('legacy')
    expect(() => modeAt(0, 'alterId')).toThrow('no user’s id')
    expect(modeAt(0, 'all')).toBe('legacy')
    expect(() => modeAt(4, 'none')).toThrow('no user’s id')
  })
})
