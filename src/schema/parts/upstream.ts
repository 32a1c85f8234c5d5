/** Proxies that an outbound goes through: `servers` of V2Ray and the flat form of Xray. */
import { z } from 'zod'
import type { UpstreamServer, UpstreamUser } from '../../settings/model.ts'
import type { Context } from '../context.ts'
import { address, noted, object, port, text, uint32 } from '../fields.ts'
import { readHost } from '../values.ts'

const userFields = () => ({
  user: noted(text('Name.'), { expected: 'a name in double quotes' }),
  pass: noted(text('Password.'), { secret: 'password', expected: 'a password in double quotes' }),
  level: uint32('Policy level.'),
  email: text('For people.'),
})

const user = object(userFields).describe('A name and a password.')

const server = object(() => ({
  address: address('Where the proxy is: IPv4, IPv6 or domain name.'),
  port: port('Port of the proxy.'),
  users: noted(z.array(user).describe('Logins; one is picked at random for each connection. Default: none is given.'), {
    secret: 'password',
  }),
})).describe('A proxy.')

export const upstreamFields = () => ({
  servers: z.array(server).describe('V2Ray’s form: proxies, used in turn.'),
  address: address('Xray’s form: where the proxy is. Wins over servers.'),
  port: port('Xray’s form: port of the proxy.'),
  ...userFields(),
})

interface UserInput {
  readonly user?: string | undefined
  readonly pass?: string | undefined
  readonly level?: number | undefined
}

interface ServerInput {
  readonly address?: string | undefined
  readonly port?: number | undefined
  readonly users?: readonly (UserInput & object)[] | undefined
}

interface UpstreamInput extends ServerInput, UserInput {
  readonly servers?: readonly (ServerInput & object)[] | undefined
}

/** Undefined after an error. `what` is the kind of outbound, for messages. */
export function readUpstream(
  { users: _ofServers, ...input }: UpstreamInput,
  owner: object,
  what: string,
  context: Context,
): readonly UpstreamServer[] | undefined {
  const { report } = context
  if (report.wrote(owner, 'address')) {
    if (input.servers)
      report.warn('CFG035', report.at(owner, 'servers'), '"servers" is ignored because "address" is there')
    const named = report.wrote(owner, 'user') || report.wrote(owner, 'pass')
    const read = readServer(input, owner, named ? [readUser(input, owner, context)] : [], context)
    return read && [read]
  }
  if (!input.servers || input.servers.length === 0) {
    if (input.servers || !report.wrote(owner, 'servers')) {
      const place = input.servers ? report.at(owner, 'servers') : report.at(owner)
      const hint = 'write "servers": [ { "address", "port" } ]'
      report.error('CFG024', place, `this ${what} outbound has no proxy to go through`, hint)
    }
    return undefined
  }
  for (const key of ['port', 'user', 'pass'] as const) {
    if (!report.wrote(owner, key)) continue
    const hint = key === 'port' ? 'write it into the server in "servers"' : 'write it into "users" of the server'
    report.warn('CFG035', report.at(owner, key), `"${key}" is ignored because "servers" is there`, hint)
  }
  const servers = input.servers.map((entry) =>
    readServer(
      entry,
      entry,
      (entry.users ?? []).map((each) => readUser(each, each, context)),
      context,
    ),
  )
  const good = servers.filter((each) => each !== undefined)
  return good.length === 0 ? undefined : good
}

function readServer(
  fields: ServerInput,
  owner: object,
  users: readonly UpstreamUser[],
  context: Context,
): UpstreamServer | undefined {
  const { report } = context
  for (const key of ['address', 'port'] as const) {
    if (fields[key] !== undefined || report.wrote(owner, key)) continue
    const hint =
      key === 'address' ? 'write the IP address or the domain name of the proxy' : 'write its port, such as 1080'
    report.error('CFG024', report.at(owner, key), `this proxy has no "${key}"`, hint)
  }
  const host = fields.address === undefined ? undefined : readHost(fields.address, report.at(owner, 'address'), context)
  if (fields.port === 0) {
    report.error('CFG029', report.at(owner, 'port'), 'found 0, expected the port of the proxy, from 1 to 65535')
  }
  if (host === undefined || !fields.port) return undefined
  return { address: { host, port: fields.port }, users }
}

function readUser(input: UserInput, owner: object, { report }: Context): UpstreamUser {
  for (const key of ['user', 'pass'] as const) {
    if (report.wrote(owner, key)) continue
    report.warn('CFG024', report.at(owner, key), `this login has no "${key}": it is taken as empty`)
  }
  for (const key of ['user', 'pass'] as const) {
    if (new TextEncoder().encode(input[key] ?? '').length <= 255) continue
    report.error('CFG023', report.at(owner, key), `"${key}" is longer than 255 bytes, which no proxy takes`)
  }
  return { user: input.user ?? '', pass: input.pass ?? '', level: input.level ?? 0 }
}
