import type { LegacyUsers } from '../../protocol/vmess/users/directory.ts'

/** What V2Ray and Xray let the environment decide about VMess, under their names. */
export interface Switches {
  /** `v2ray.vmess.aead.disabled=true`: the client sends the legacy header even for alterId 0. */
  readonly legacyHeader: boolean
  /** `v2ray.vmess.aead.forced`: `true` refuses every legacy header, `false` takes them from users with alterId 0 too. */
  readonly legacyUsers: LegacyUsers
  /** `xray.cone.disabled=true`: datagrams to each target are a session of their own, as with V2Ray. */
  readonly coneDisabled: boolean
}

/** Both spellings of a name count: dotted, and upper-cased with underscores for shells that know no dots. */
export function readSwitches(env: Readonly<Record<string, string | undefined>> = process.env): Switches {
  const value = (name: string): string | undefined => env[name] ?? env[name.toUpperCase().replaceAll('.', '_')]
  const forced = value('v2ray.vmess.aead.forced')
  return {
    legacyHeader: value('v2ray.vmess.aead.disabled') === 'true',
    legacyUsers: forced === 'true' ? 'none' : forced === 'false' ? 'all' : 'alterId',
    coneDisabled: value('xray.cone.disabled') === 'true',
  }
}
