/** VMess in V2Ray's and Xray's JSON: every accepted form of users and servers. */
import { z } from 'zod'
import type { Context } from '../../schema/context.ts'
import { address, anyObject, flag, integer, noted, object, port, text, withoutEffect } from '../../schema/fields.ts'
import { inboundForm, outboundForm } from '../../schema/kind.ts'
import { accountFields } from '../../schema/parts/account.ts'
import { panelFields, panelNotes } from '../../schema/parts/panel-limits.ts'
import { limitsSchema, readLimits } from '../../schema/parts/user-limits.ts'
import { checkUnique, readSecurity, readUser, type UserFields, type WrittenUser } from '../../schema/parts/users.ts'
import { readHost } from '../../schema/values.ts'
import type { OutboundStreamConfig, VmessServer, VmessUser } from '../../settings/model.ts'

const noLimits = () => withoutEffect(anyObject('For users of a server.'), 'the server keeps limits, not its clients')

const serverUser = noted(
  object(() => ({ ...accountFields(), limits: noLimits() })).describe('An account on the server.'),
  {
    secret: 'id',
  },
)

/** In place of the list there may be an id. */
const userList = <S extends z.ZodType>(user: S, description: string) =>
  noted(z.array(user).describe(description), { secret: 'id' })

const server = object(() => ({
  address: address('Where the server is: IPv4, IPv6 or domain name.'),
  port: port('Port of the server.'),
  users: userList(serverUser, 'Accounts; one is picked at random for each connection.'),
})).describe('A server.')

const outboundSettings = object(() => ({
  vnext: z.array(server).describe('V2Ray’s form: servers, used in turn.'),
  address: address('Xray’s form: where the server is. Wins over vnext.'),
  port: port('Xray’s form: port of the server.'),
  ...accountFields(),
  limits: noLimits(),
}))

/** What the flat form writes beside `address`, where V2Ray's form has no place for it. */
const flatFields = () =>
  ['port', ...(Object.keys(accountFields()) as (keyof ReturnType<typeof accountFields>)[])] as const

const bareId = () => noted(text('The id alone.'), { secret: 'id', expected: 'a UUID or a custom id, in double quotes' })
const client = noted(
  z
    .union([object(() => ({ ...accountFields(), limits: limitsSchema, ...panelFields(), ...panelNotes() })), bareId()])
    .describe('A user of this server.'),
  {
    secret: 'id',
  },
)
const detour = object(() => ({ to: text('Tag of another vmess inbound.') })).describe(
  'Sends clients on to another inbound.',
)

const inboundSettings = object(() => ({
  clients: userList(client, 'Users. May be empty for the target of a detour.'),
  users: userList(client, 'Xray’s name of clients.'),
  default: object(() => ({
    level: integer(0, 255, 'Policy level. Default: 0.'),
    alterId: integer(0, 65535, 'Number of alternative ids. Default: 64.'),
  })).describe('For users that a detour creates.'),
  detour,
  disableInsecureEncryption: flag('Turns away clients that use none, zero or aes-128-cfb. Default: false.'),
  features: object(() => ({ detour })).describe('Old place of detour, used when detour is absent.'),
}))

export const vmessInbound = inboundForm({
  kind: 'vmess',
  aliases: [],
  description: 'VMess server',
  schema: inboundSettings,
  build(input, context) {
    const { report } = context
    const written = input.detour ?? input.features?.detour
    const detourTo = written?.to
    if (written && !detourTo && (detourTo === '' || !report.wrote(written, 'to'))) {
      const message = 'the detour has no "to": clients stay on this inbound'
      report.warn('CFG074', report.at(written, 'to'), message, 'write the tag of another vmess inbound')
    }
    if (input.default && input.default.alterId === undefined) {
      const message = 'without alterId, users of a detour get 64 alternative ids and so the legacy header'
      report.info('CFG068', report.at(input.default), message, 'write "alterId": 0')
    }
    return {
      users: inboundUsers(input, context),
      default: { level: input.default?.level ?? 0, alterId: input.default?.alterId ?? 64 },
      ...(detourTo && { detourTo }),
      disableInsecureEncryption: input.disableInsecureEncryption ?? false,
    }
  },
})

function inboundUsers(input: z.output<typeof inboundSettings>, context: Context): readonly VmessUser[] {
  const { report } = context
  if (input.clients && input.users) {
    report.warn('CFG035', report.at(input, 'users'), '"users" is ignored because "clients" is there')
  }
  const list = input.clients ?? input.users ?? []
  const users = list.map((entry, i): WrittenUser => {
    if (typeof entry !== 'string') {
      const user = readUser(entry, entry, context)
      const limits = readLimits(entry, context)
      return { owner: entry, email: entry.email ?? '', user: user && limits ? { ...user, limits } : user }
    }
    const owner = bareOwner(list, i, context)
    return { owner, email: '', user: readUser({ id: entry }, owner, context) }
  })
  checkUnique(users, context)
  return users.flatMap(({ user }) => user ?? [])
}

/** A bare id has no object of its own to point at. */
function bareOwner(list: object, index: number, { report }: Context): object {
  const owner = {}
  report.alias(owner, report.at(list, index))
  return owner
}

export const vmessOutbound = outboundForm({
  kind: 'vmess',
  aliases: [],
  description: 'VMess client',
  schema: outboundSettings,
  build(input, context, stream) {
    const { report } = context
    const flat = (['address', 'port', 'id', 'uuid'] as const).some((key) => report.wrote(input, key))
    const xray = report.wrote(input, 'address') || (flat && !report.wrote(input, 'vnext'))
    if (xray) {
      if (input.vnext) report.warn('CFG035', report.at(input, 'vnext'), '"vnext" is ignored because "address" is there')
      const read = readServer({ ...input, users: [input] }, input, context, stream)
      return read && { servers: [read] }
    }
    if (!input.vnext) {
      if (!report.wrote(input, 'vnext')) {
        const hint = 'write "vnext": [ { "address", "port", "users": [ { "id" } ] } ], or the three fields directly'
        report.error('CFG024', report.at(input), 'this vmess outbound has no server', hint)
      }
      return undefined
    }
    if (input.vnext.length === 0) {
      report.error('CFG024', report.at(input, 'vnext'), 'the list of servers is empty; expected at least one')
    }
    for (const key of flatFields()) {
      if (!report.wrote(input, key)) continue
      const hint = key === 'port' ? 'write it into the server in "vnext"' : 'write it into the user in "vnext"'
      report.warn('CFG035', report.at(input, key), `"${key}" is ignored because "vnext" is there`, hint)
    }
    const servers = input.vnext.map((entry) => readServer(entry, entry, context, stream))
    const users = input.vnext.reduce((most, entry) => Math.max(most, entry.users?.length ?? 0), 0)
    if (servers.length > 1 || users > 1) {
      const message = 'several servers are used in turn and several users at random; Xray refuses more than one'
      report.info('CFG067', report.at(input, 'vnext'), message)
    }
    const good = servers.filter((read) => read !== undefined)
    return good.length === 0 ? undefined : { servers: good }
  },
})

interface ServerFields {
  readonly address?: string | undefined
  readonly port?: number | undefined
  readonly users?: readonly (UserFields & object)[] | undefined
}

function readServer(
  fields: ServerFields,
  owner: object,
  context: Context,
  stream: OutboundStreamConfig,
): VmessServer | undefined {
  const { report } = context
  for (const key of ['address', 'port', 'users'] as const) {
    if (fields[key] !== undefined || report.wrote(owner, key)) continue
    report.error('CFG024', report.at(owner, key), `this server has no "${key}"`, missingHints[key])
  }
  const host = fields.address === undefined ? undefined : readHost(fields.address, report.at(owner, 'address'), context)
  if (fields.port === 0) {
    report.error('CFG029', report.at(owner, 'port'), 'found 0, expected the port of the server, from 1 to 65535')
  }
  if (fields.users?.length === 0) {
    report.error('CFG024', report.at(owner, 'users'), 'the list of users is empty; expected at least one')
  }
  const users = (fields.users ?? []).flatMap((entry) => {
    const security = readSecurity(entry.security, report.at(entry, 'security'), stream.tls !== undefined, context)
    const user = readUser(entry, entry, context)
    if (user && user.alterId > 0) {
      const message = `alterId ${user.alterId} means the legacy header, which V2Ray 5 and Xray servers refuse: connections just close`
      report.warn('CFG057', report.at(entry, 'alterId'), message, 'write 0, unless the server is that old')
    }
    return user ? [{ ...user, security }] : []
  })
  if (host === undefined || !fields.port || users.length === 0) return undefined
  return { address: { host, port: fields.port }, users }
}

const missingHints = {
  address: 'write the IP address or the domain name of the server',
  port: 'write the port on which the server listens, such as 443',
  users: 'write "users": [ { "id": "…" } ]',
}
