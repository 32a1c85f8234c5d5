/**
 * Inbounds, outbounds and users as Xray lists them (V2Ray does not). Ids of users are told once, when they are made, and
 * settings are left out: what is listed tells what there is, and is no means to copy it.
 */

import type { Control, InboundView, UserView } from '../../control/control.ts'
import { parseAddress, parseHost } from '../../core/address.ts'
import { mapInSlices } from '../../core/time/slices.ts'
import type { ServiceDeps } from './service.ts'
import type { Types } from './types.ts'

const inboundMessages: Readonly<Record<string, string>> = {
  'dokodemo-door': 'proxy.dokodemo.Config',
  http: 'proxy.http.ServerConfig',
  mixed: 'proxy.socks.ServerConfig',
  socks: 'proxy.socks.ServerConfig',
  vmess: 'proxy.vmess.inbound.Config',
}

const outboundMessages: Readonly<Record<string, string>> = {
  blackhole: 'proxy.blackhole.Config',
  freedom: 'proxy.freedom.Config',
  loopback: 'proxy.loopback.Config',
  vmess: 'proxy.vmess.outbound.Config',
}

export async function inboundsList(
  { control, types, clock }: Pick<ServiceDeps, 'control' | 'types' | 'clock'>,
  onlyTags: boolean,
): Promise<object[]> {
  const users = onlyTags ? [] : await control.users()
  const list: object[] = []
  for (const inbound of await control.inbounds()) {
    const { tag, protocol } = inbound
    if (onlyTags) {
      list.push({ tag })
      continue
    }
    const message = inboundMessages[protocol]
    const usersOf = async () => (await mapInSlices(clock, users, (user) => userMessage(user, tag, types))).flat()
    const settings = protocol === 'vmess' ? { user: await usersOf() } : {}
    list.push({
      tag,
      receiver_settings: types.typed('xray', 'app.proxyman.ReceiverConfig', receiverOf(inbound)),
      ...(message && { proxy_settings: types.typed('xray', message, settings) }),
    })
  }
  return list
}

/** Without the one that serves this API, which Xray leaves out too. */
export const outboundsList = async (control: Control, types: Types): Promise<object[]> =>
  (await control.outbounds()).flatMap(({ tag, protocol }) => {
    const message = outboundMessages[protocol]
    if (!message) return []
    return {
      tag,
      sender_settings: types.typed('xray', 'app.proxyman.SenderConfig', {}),
      proxy_settings: types.typed('xray', message, {}),
    }
  })

/** A user of an inbound as a protocol.User; nothing when it has none there. */
export const userMessage = ({ email, inbounds }: UserView, tag: string, types: Types): object[] =>
  inbounds
    .filter((inbound) => inbound.tag === tag)
    .map(({ level, alterId }) => ({
      level,
      email,
      account: types.typed('xray', 'proxy.vmess.Account', { alter_id: alterId }),
    }))

function receiverOf({ listening }: InboundView): object {
  const addresses = listening.flatMap((text) => parseAddress(text) ?? [])
  const [first] = addresses
  if (!first) return {}
  if (first.path !== undefined) return { listen: { domain: first.path } }
  const host = parseHost(first.host)
  return {
    port_list: { range: addresses.map(({ port }) => ({ From: port, To: port })) },
    listen: host.kind === 'domain' ? { domain: host.name } : { ip: host.bytes },
  }
}
