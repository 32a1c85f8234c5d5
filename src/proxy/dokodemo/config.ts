/** dokodemo-door, Xray's tunnel: everything goes to one fixed target. */
import type { z } from 'zod'
import type { Context } from '../../schema/context.ts'
import {
  address,
  anyObject,
  flag,
  idleOf,
  idleTimeout,
  noted,
  object,
  port,
  refused,
  stringList,
  userLevel,
} from '../../schema/fields.ts'
import { inboundForm } from '../../schema/kind.ts'
import { networksOf } from '../../schema/parts/networks.ts'
import { readHost } from '../../schema/values.ts'

const network = (description: string) => noted(stringList(description), { expected: '"tcp", "udp" or "tcp,udp"' })

const schema = object(() => ({
  address: address('Where connections go. Default: this machine.'),
  port: port('Port to which connections go. Default: the port they came in on.'),
  network: network('tcp, udp or both. Default: tcp.'),
  rewriteAddress: address('Xray’s name of address.'),
  rewritePort: port('Xray’s name of port.'),
  allowedNetwork: network('Xray’s name of network.'),
  portMap: refused(
    anyObject('A target per local port.'),
    'a target per port is not supported, and without it connections would go elsewhere',
    { hint: 'write one inbound per port' },
  ),
  followRedirect: refused(
    flag('Go where a firewall rule redirected the connection from.'),
    'the original destination of a redirected connection cannot be read here',
    {
      hint: 'write "address" and "port" of the target, or let what redirects connections speak SOCKS to a socks inbound',
    },
  ),
  userLevel: userLevel(),
  timeout: idleTimeout(),
}))

export const dokodemoInbound = inboundForm({
  kind: 'dokodemo-door',
  aliases: ['tunnel'],
  description: 'Forwards every connection, and datagrams, to one target',
  schema,
  open: () => true,
  build(input, context) {
    const { report } = context
    const [addressKey, portKey, networkKey] = [
      pick(input, 'address', 'rewriteAddress', context),
      pick(input, 'port', 'rewritePort', context),
      pick(input, 'network', 'allowedNetwork', context),
    ]
    const written = input[addressKey]
    const host = written === undefined ? '127.0.0.1' : readHost(written, report.at(input, addressKey), context)
    const networks = networksOf(input[networkKey], ['tcp'], report.at(input, networkKey), context)
    if (host === undefined) return undefined
    return {
      target: { host, port: input[portKey] ?? 0 },
      networks,
      level: input.userLevel ?? 0,
      ...idleOf(input.timeout, input.userLevel),
    }
  },
})

/** V2Ray's name where it is written, else Xray's. */
function pick<A extends string, B extends string>(
  input: z.output<typeof schema>,
  name: A,
  alias: B,
  { report }: Context,
): A | B {
  if (!report.wrote(input, alias)) return name
  if (!report.wrote(input, name)) return alias
  report.warn('CFG035', report.at(input, alias), `"${alias}" is ignored because "${name}" is there`)
  return name
}
