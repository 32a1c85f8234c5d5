/** `settings`. Users with more than an id need the full names of messages. */
import { asList, asPlain, asText, isEmpty, type Plain, without } from '../plain.ts'
import { Taker } from '../taker.ts'
import { numberOr, textOr } from './words.ts'

interface Written {
  readonly protocol: string
  readonly settings?: Plain
  /** That of freedom, which stands beside the protocol here. */
  readonly strategy: string
}

const accountType = 'types.v2fly.org/v2ray.core.proxy.vmess.Account'
const securities: Readonly<Record<string, string>> = {
  auto: 'AUTO',
  'aes-128-cfb': 'LEGACY',
  'aes-128-gcm': 'AES128_GCM',
  'chacha20-poly1305': 'CHACHA20_POLY1305',
  none: 'NONE',
  zero: 'ZERO',
}

export function inboundProtocol(end: Taker): Written {
  const protocol = end.text('protocol')
  const fields = end.inside('settings')
  const write = inbounds[protocol]
  if (!write) return { protocol, settings: fields.value, strategy: '' }
  const { name = protocol, settings } = write(fields)
  if (name === 'socks' && protocol === 'mixed')
    end.losses.say(
      `${end.path}.protocol`,
      protocol,
      'V2Ray has SOCKS and HTTP on two ports: "socks" is written, an inbound for HTTP is yours to add',
    )
  fields.end()
  return { protocol: name, settings, strategy: '' }
}

interface Made {
  readonly name?: string
  readonly settings: Plain
}

const password = 'passwords need V2Ray 4’s format'

const inbounds: Readonly<Record<string, (fields: Taker) => Made>> = {
  vmess(fields) {
    const clients = asList(fields.take('clients')).map((user, i) => fields.item('clients', user, i))
    const detour = textOr(fields.inside('detour').text('to'))
    const usual = fields.inside('default')
    const secure = fields.take('disableInsecureEncryption') === true
    const plain = clients.every(({ value }) => isPlainUser(value)) && !detour && !secure && isEmpty(usual.value)
    if (plain) return { settings: { users: clients.map((user) => asText(userOf(user).id)) } }
    return {
      name: '#v2ray.core.proxy.vmess.inbound.Config',
      settings: without({
        user: clients.map(messageOf),
        default: isEmpty(usual.value)
          ? undefined
          : without({ level: numberOr(usual.take('level')), alterId: numberOr(usual.take('alterId')) }),
        detour: detour && { to: detour },
        secureEncryptionOnly: secure || undefined,
      }),
    }
  },
  socks,
  mixed: (fields) => ({ name: 'socks', ...socks(fields) }),
  http(fields) {
    fields.lose('accounts', password)
    return { settings: {} }
  },
  'dokodemo-door'(fields) {
    return {
      settings: without({
        address: textOr(fields.text('address')) ?? '127.0.0.1',
        port: numberOr(fields.take('port')),
        networks: textOr(fields.text('network')) ?? 'tcp',
      }),
    }
  },
}

function socks(fields: Taker): Made {
  if (fields.text('auth') === 'password') fields.lose('accounts', password)
  else fields.take('accounts')
  return { settings: without({ udpEnabled: fields.take('udp'), address: textOr(fields.text('ip')) }) }
}

/** Whether an id says everything. */
const isPlainUser = ({ alterId, security, level, email, experiments }: Plain): boolean =>
  !Number(alterId ?? 0) &&
  (!security || asText(security).toLowerCase() === 'auto') &&
  !Number(level ?? 0) &&
  !email &&
  !experiments

function userOf(user: Taker): Plain {
  const { id } = user.value
  for (const key of ['id', 'alterId', 'security', 'level', 'email', 'experiments']) user.take(key)
  user.end()
  return { id }
}

function messageOf(user: Taker): Plain {
  const { id, alterId, security, level, email, experiments } = user.value
  userOf(user)
  const word = asText(security).toLowerCase()
  const type = securities[word]
  return without({
    level: numberOr(level),
    email: email || undefined,
    account: without({
      '@type': accountType,
      id,
      alterId: Number(alterId ?? 0) > 0 ? Number(alterId) : undefined,
      testsEnabled: experiments || undefined,
      securitySettings: type && type !== 'AUTO' ? { type } : undefined,
    }),
  })
}

export function outboundProtocol(end: Taker): Written {
  const protocol = end.text('protocol')
  const fields = end.inside('settings')
  const write = outbounds[protocol]
  const strategy = protocol === 'freedom' ? fields.text('domainStrategy') : ''
  const made = write ? write(fields) : { settings: fields.value }
  if (write) fields.end()
  return { protocol: made.name ?? protocol, settings: made.settings, strategy }
}

const outbounds: Readonly<Record<string, (fields: Taker) => Made>> = {
  vmess(fields) {
    const servers = asList(fields.take('vnext')).map((server, i) => fields.item('vnext', server, i))
    const users = servers.map((server) => asList(server.take('users')).map((user, i) => server.item('users', user, i)))
    const [server] = servers
    const [user, ...more] = users.flat()
    if (servers.length === 1 && server && user && more.length === 0 && isPlainUser(user.value)) {
      const { id } = userOf(user)
      return { settings: { address: server.text('address'), port: numberOr(server.take('port')), uuid: id } }
    }
    return {
      name: '#v2ray.core.proxy.vmess.outbound.Config',
      settings: {
        Receiver: servers.map((each, i) => ({
          address: each.text('address'),
          port: numberOr(each.take('port')),
          user: users[i]!.map(messageOf),
        })),
      },
    }
  },
  freedom(fields) {
    const [, host = '', port = ''] = /^(.*):(\d*)$/.exec(fields.text('redirect')) ?? []
    const server = without({ address: textOr(host.replace(/^\[|\]$/g, '')), port: numberOr(port) })
    return { settings: isEmpty(server) ? {} : { destinationOverride: { server } } }
  },
  blackhole(fields) {
    if (fields.inside('response').text('type') !== 'http') return { settings: {} }
    const response = { '@type': 'types.v2fly.org/v2ray.core.proxy.blackhole.HTTPResponse' }
    return { name: '#v2ray.core.proxy.blackhole.Config', settings: { response } }
  },
  dns: () => ({ settings: {} }),
  loopback: (fields) => ({ settings: { inboundTag: fields.text('inboundTag') } }),
  socks: upstream,
  http: upstream,
}

function upstream(fields: Taker): Made {
  const [first, ...more] = asList(fields.take('servers'))
  const server = new Taker(
    first,
    `${fields.path}.servers[0]`,
    fields.losses,
    'V2Ray 5’s own format has no place for it',
  )
  for (const [i, other] of more.entries())
    fields.losses.say(
      `${fields.path}.servers[${i + 1}]`,
      asPlain(other).address,
      'there is one server in V2Ray 5’s own format',
    )
  const written = { address: server.text('address'), port: numberOr(server.take('port')) }
  server.lose('users', password)
  server.end()
  return { settings: written }
}
