import { certificateFile, keyFile, type Link, path, service, userId, type Way } from './program.ts'

/** sing-box's own form. Its `direct` inbound with a target of its own is what dokodemo-door is elsewhere. */
export function singBoxFile(role: 'server' | 'client', link: Link): object {
  const log = { disabled: true }
  if (role === 'server') {
    const vmess = {
      type: 'vmess',
      listen: '127.0.0.1',
      listen_port: link.serverPort,
      users: [{ uuid: userId, alterId: 0 }],
      ...carrier(link, { certificate_path: certificateFile, key_path: keyFile }),
    }
    return { log, inbounds: [vmess], outbounds: [{ type: 'direct' }] }
  }
  const door = {
    type: 'direct',
    listen: '127.0.0.1',
    listen_port: link.doorPort,
    network: link.network,
    override_address: '127.0.0.1',
    override_port: link.targetPort,
  }
  const vmess = {
    type: 'vmess',
    server: '127.0.0.1',
    server_port: link.serverPort,
    uuid: userId,
    security: link.security,
    alter_id: 0,
    packet_encoding: link.packets === 'XUDP' ? 'xudp' : '',
    ...carrier(link, { server_name: 'localhost', certificate_path: certificateFile }),
  }
  return { log, inbounds: [door], outbounds: [vmess] }
}

const carrier = (way: Way, tls: object): object => ({
  ...(way.tls ? { tls: { enabled: true, ...tls } } : {}),
  ...(way.transport === 'tcp' ? {} : { transport: transport(way) }),
})

function transport({ transport }: Way): object {
  if (transport === 'grpc') return { type: 'grpc', service_name: service }
  if (transport === 'h2') return { type: 'http', path, host: ['localhost'] }
  return { type: transport, path }
}
