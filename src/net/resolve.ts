import { lookup } from 'node:dns/promises'
import { ProxyError } from '../core/errors.ts'

/** Addresses of a host by the system's resolver; `family` 0 is both. Rejects with DNS_FAILED. */
export async function systemResolve(host: string, family: 0 | 4 | 6): Promise<string[]> {
  try {
    const found = await lookup(host, { all: true, family })
    return found.map((entry) => entry.address)
  } catch (error) {
    throw new ProxyError('DNS_FAILED', `cannot resolve ${host}`, { cause: error })
  }
}
