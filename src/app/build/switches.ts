import type { LegacyUsers } from '../../protocol/vmess/users.ts'

/** What V2Ray lets the environment decide about VMess, under its names. */
export interface Switches {
  /** `v2ray.vmess.aead.disabled=true`: the client sends the legacy header even for alterId 0. */
  readonly legacyHeader: boolean
  /** `v2ray.vmess.aead.forced`: `true` refuses every legacy header, `false` takes them from users with alterId 0 too. */
  readonly legacyUsers: LegacyUsers
}

/** Both spellings of a name count: dotted, and upper-cased with underscores for shells that know no dots. */
export function readSwitches(env: Readonly<Record<string, string | undefined>> = process.env): Switches {
  const value = (name: string): string | undefined => env[name] ?? env[name.toUpperCase().replaceAll('.', '_')]
  const forced = value('v2ray.vmess.aead.forced')
  return {
    legacyHeader: value('v2ray.vmess.aead.disabled') === 'true',
    legacyUsers: forced === 'true' ? 'none' : forced === 'false' ? 'all' : 'alterId',
  }
}
