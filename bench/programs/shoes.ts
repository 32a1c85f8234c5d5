import { certificateFile, keyFile, type Link, path, userId, type Way } from './program.ts'

/** The form of shoes, which is YAML: JSON is YAML too. Its client cannot be told whom to trust, so it trusts everybody. */
export function shoesFile(role: 'server' | 'client', link: Link): object {
  const vmess = { type: 'vmess', cipher: link.security, user_id: userId }
  const direct = [{ mask: '0.0.0.0/0', action: 'allow', client_chain: 'direct' }]
  if (role === 'server') {
    return [{ address: `127.0.0.1:${link.serverPort}`, protocol: served(link, vmess), rules: direct }]
  }
  const chain = { address: `127.0.0.1:${link.serverPort}`, protocol: dialled(link, vmess) }
  return [
    {
      address: `127.0.0.1:${link.doorPort}`,
      protocol: { type: 'forward', targets: `127.0.0.1:${link.targetPort}` },
      rules: [{ mask: '0.0.0.0/0', action: 'allow', client_chain: chain }],
    },
  ]
}

function served({ transport, tls }: Way, vmess: object): object {
  const inner = transport === 'ws' ? { type: 'websocket', targets: [{ matching_path: path, protocol: vmess }] } : vmess
  return tls ? { type: 'tls', default_tls_target: { cert: certificateFile, key: keyFile, protocol: inner } } : inner
}

function dialled({ transport, tls }: Way, vmess: object): object {
  const inner = transport === 'ws' ? { type: 'websocket', matching_path: path, protocol: vmess } : vmess
  return tls ? { type: 'tls', verify: false, sni_hostname: 'localhost', protocol: inner } : inner
}
