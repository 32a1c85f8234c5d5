import type { Resolve } from '../../core/ground.ts'
import type { NameService } from '../../core/name-service.ts'
import type { NameSource } from './source.ts'

/** How long what the system says holds, s: it has a memory of its own. */
const systemTtlS = 300

/** The system's resolver as one of the servers. */
export const systemSource = (resolve: Resolve): NameSource => ({
  async ask(name, type, until) {
    return { rcode: 0, addresses: await resolve(name, type === 'A' ? 4 : 6, until), ttlS: systemTtlS }
  },
})

/** The system's resolver as the only one. */
export const systemNames = (resolve: Resolve): NameService => ({
  async lookup(name, types, until) {
    const family = types.length > 1 ? 0 : types[0] === 'A' ? 4 : 6
    return { rcode: 0, addresses: await resolve(name, family, until), ttlS: systemTtlS }
  },
})
