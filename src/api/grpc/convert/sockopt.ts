import { domainStrategies } from '../../../core/domain-strategy.ts'
import type { Family, Fields } from '../../../messages/fields.ts'
import { given, wordOf } from '../../../messages/values.ts'

const tproxies = ['', 'tproxy', 'redirect'] as const
const switches = ['', 'on', 'off'] as const
const addressPortStrategies = [
  'none',
  'SrvPortOnly',
  'SrvAddressOnly',
  'SrvPortAndAddress',
  'TxtPortOnly',
  'TxtAddressOnly',
  'TxtPortAndAddress',
] as const

/** A SocketConfig as `sockopt`. */
export function sockoptJson(fields: Fields, family: Family): Record<string, unknown> {
  return {
    ...given({
      mark: fields.number('mark'),
      tproxy: wordOf(fields, 'tproxy', tproxies),
      acceptProxyProtocol: fields.flag('accept_proxy_protocol'),
      tcpKeepAliveInterval: fields.number('tcp_keep_alive_interval'),
      tcpKeepAliveIdle: fields.number('tcp_keep_alive_idle'),
    }),
    ...(family === 'v2ray' ? v2rayJson(fields) : xrayJson(fields)),
  }
}

function v2rayJson(fields: Fields): object {
  const tfo = wordOf(fields, 'tfo', switches)
  const mptcp = wordOf(fields, 'mptcp', switches)
  return {
    ...(tfo && { tcpFastOpen: tfo === 'on' }),
    ...(mptcp && { mptcp: mptcp === 'on' }),
    ...given({
      bindToDevice: fields.text('bind_to_device'),
      rxBufSize: fields.number('rx_buf_size'),
      txBufSize: fields.number('tx_buf_size'),
    }),
  }
}

function xrayJson(fields: Fields): object {
  // Xray sends its own figures in every SocketConfig; Node's race takes their place.
  fields.bytes('happy_eyeballs')
  const domainStrategy = wordOf(fields, 'domain_strategy', domainStrategies)
  const addressPortStrategy = wordOf(fields, 'address_port_strategy', addressPortStrategies)
  return given({
    tcpFastOpen: fields.number('tfo'),
    domainStrategy: domainStrategy === 'AsIs' ? '' : domainStrategy,
    addressPortStrategy: addressPortStrategy === 'none' ? '' : addressPortStrategy,
    dialerProxy: fields.text('dialer_proxy'),
    tcpCongestion: fields.text('tcp_congestion'),
    interface: fields.text('interface'),
    V6Only: fields.flag('v6only'),
    tcpWindowClamp: fields.number('tcp_window_clamp'),
    tcpUserTimeout: fields.number('tcp_user_timeout'),
    tcpMaxSeg: fields.number('tcp_max_seg'),
    penetrate: fields.flag('penetrate'),
    tcpMptcp: fields.flag('tcp_mptcp'),
    trustedXForwardedFor: fields.values<string>('trusted_x_forwarded_for'),
  })
}
