import { networkInterfaces } from 'node:os'
import { parseIPv4 } from '../../core/address.ts'

/** The first address that other machines may reach us by: IPv4 if there is one, else a global IPv6, else loopback. */
export function ownAddress(interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces()): string {
  const outward = Object.values(interfaces).flatMap((list) => (list ?? []).filter(({ internal }) => !internal))
  const v4 = outward.find(({ family, address }) => family === 'IPv4' && !address.startsWith('169.254.'))
  const v6 = outward.find(({ family, address }) => family === 'IPv6' && !/^fe[89ab]/i.test(address))
  return (v4 ?? v6)?.address ?? '127.0.0.1'
}

/** True for IP addresses that only work inside one network, or one machine. */
export function isPrivate(address: string): boolean {
  if (address.includes(':')) return address === '::1' || /^f[cd]|^fe[89ab]/i.test(address)
  const [a = 0, b = 0] = parseIPv4(address) ?? []
  if (a === 172) return b >= 16 && b < 32
  if (a === 192) return b === 168
  if (a === 100) return b >= 64 && b < 128
  return a === 10 || a === 127
}
