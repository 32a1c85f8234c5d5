import { lookup } from 'node:dns/promises'
import { ProxyError } from '../core/errors.ts'
import type { Resolve } from '../core/ground.ts'

/** By the system's resolver, which cannot be cancelled: what is given up goes on in one of libuv's threads. */
export const systemResolve: Resolve = (host, family, until) =>
  new Promise((resolve, reject) => {
    const cancel = until.onGone(reject)
    lookup(host, { all: true, family })
      .then(
        (found) => resolve(found.map((entry) => entry.address)),
        (error: unknown) => reject(new ProxyError('DNS_FAILED', `cannot resolve ${host}`, { cause: error })),
      )
      .finally(cancel)
  })
