/** Which keys V2Ray and Xray read, by where they stand. Both read them in any letter case. */
import { keys, type Shape } from './keep.ts'

const account = keys('id alterId security level email experiments')
const login = keys('user pass level email')
const certificate = keys('certificate key certificateFile keyFile usage')

const tls = keys('allowInsecure serverName alpn enableSessionResumption disableSystemRoot', {
  certificates: [certificate],
})
const header = keys('type request response')
const upgrade = keys('path headers acceptProxyProtocol')

/** Of V2Ray 4 and of V2Ray 5 where it reads the same format. */
const v2rayStream: Shape = keys('network security', {
  tlsSettings: { ...tls, ...keys('pinnedPeerCertificateChainSha256 verifyClientCertificate') },
  tcpSettings: keys('acceptProxyProtocol', { header }),
  kcpSettings: keys('mtu tti uplinkCapacity downlinkCapacity congestion readBufferSize writeBufferSize seed', {
    header: keys('type'),
  }),
  wsSettings: { ...upgrade, ...keys('maxEarlyData earlyDataHeaderName useBrowserForwarding') },
  httpSettings: keys('host path method headers'),
  dsSettings: keys('path abstract padding'),
  grpcSettings: keys('serviceName'),
  sockopt: keys(
    'mark tcpFastOpen tproxy acceptProxyProtocol tcpKeepAliveInterval tcpKeepAliveIdle tcpFastOpenQueueLength bindToDevice ' +
      'rxBufSize txBufSize forceBufSize mptcp',
  ),
})

const byProtocol =
  (shapes: Readonly<Record<string, Shape>>, more: Readonly<Record<string, Shape>>): Shape =>
  (end) => ({ ...more, settings: shapes[String(end.protocol)] ?? true })

const upstream = { servers: [keys('address port', { users: [login] })] } as const
const v2rayInbounds: Readonly<Record<string, Shape>> = {
  vmess: keys('default detour disableInsecureEncryption', { clients: [account] }),
  socks: keys('auth accounts udp ip timeout userLevel'),
  http: keys('accounts allowTransparent timeout userLevel'),
  'dokodemo-door': keys('address port network followRedirect timeout userLevel'),
}
const v2rayOutbounds: Readonly<Record<string, Shape>> = {
  vmess: { vnext: [keys('address port', { users: [account] })] },
  freedom: keys('domainStrategy redirect timeout userLevel'),
  blackhole: { response: keys('type') },
  dns: keys('network address port userLevel'),
  loopback: keys('inboundTag'),
  socks: { ...upstream, ...keys('version') },
  http: upstream,
}

const conditions = 'domain ip port network source sourcePort user inboundTag protocol attrs'
const balancer = keys('tag selector fallbackTag', { strategy: keys('type settings') })
const level = keys('handshake connIdle uplinkOnly downlinkOnly bufferSize statsUserUplink statsUserDownlink')
const system = keys('statsInboundUplink statsInboundDownlink statsOutboundUplink statsOutboundDownlink')
const reverseEnd = keys('tag domain')
const observatories = (probe: string, ping: string) => ({
  observatory: keys(`subjectSelector probeURL probeInterval ${probe}`.trim()),
  burstObservatory: keys('subjectSelector', {
    pingConfig: keys(`destination connectivity interval sampling timeout ${ping}`.trim()),
  }),
})

export const v2ray: Shape = {
  log: keys('access error loglevel'),
  inbounds: [
    byProtocol(
      v2rayInbounds,
      keys('protocol port listen tag', {
        allocate: keys('strategy refresh concurrency'),
        sniffing: keys('enabled destOverride metadataOnly'),
        streamSettings: v2rayStream,
      }),
    ),
  ],
  outbounds: [
    byProtocol(
      v2rayOutbounds,
      keys('protocol tag sendThrough domainStrategy', {
        proxySettings: keys('tag transportLayer'),
        mux: keys('enabled concurrency'),
        streamSettings: v2rayStream,
      }),
    ),
  ],
  routing: keys('domainStrategy domainMatcher', {
    rules: [keys(`type outboundTag balancerTag domainMatcher ${conditions}`)],
    balancers: [balancer],
  }),
  dns: keys('hosts clientIp tag queryStrategy disableCache disableFallback disableFallbackIfMatch domainMatcher', {
    servers: [keys('address port domains expectIPs clientIp skipFallback queryStrategy tag disableCache')],
  }),
  policy: { levels: { '*': level }, system: { ...system, ...keys('overrideAccessLogDest') } },
  stats: {},
  api: keys('tag services'),
  reverse: { bridges: [reverseEnd], portals: [reverseEnd] },
  fakedns: [keys('ipPool poolSize')],
  ...observatories('', ''),
}

const xrayStream: Shape = (written) => {
  const all = keys('network security tcpSettings kcpSettings wsSettings httpupgradeSettings xhttpSettings finalmask', {
    tlsSettings: {
      ...tls,
      ...keys(
        'minVersion maxVersion cipherSuites curvePreferences pinnedPeerCertSha256 verifyPeerCertByName rejectUnknownSni fingerprint masterKeyLog ' +
          'echConfigList echServerKeys echSockopt',
        { certificates: [{ ...certificate, ...keys('oneTimeLoading ocspStapling buildChain') }] },
      ),
    },
    grpcSettings: keys(
      'serviceName multiMode authority user_agent idle_timeout health_check_timeout permit_without_stream initial_windows_size',
    ),
    sockopt: keys(
      'mark tcpFastOpen tproxy acceptProxyProtocol dialerProxy domainStrategy tcpKeepAliveInterval tcpKeepAliveIdle ' +
        'tcpCongestion tcpWindowClamp tcpMaxSeg tcpUserTimeout penetrate V6Only interface tcpMptcp customSockopt ' +
        'addressPortStrategy happyEyeballs trustedXForwardedFor',
    ),
  })
  return written.network === 'ws'
    ? { ...all, wsSettings: keys('host path headers acceptProxyProtocol heartbeatPeriod') }
    : all
}

export const xray: Shape = {
  log: keys('access error loglevel dnsLog maskAddress'),
  inbounds: [
    byProtocol(
      {
        ...v2rayInbounds,
        vmess: { clients: [keys('id level email')] },
        mixed: keys('auth accounts udp ip userLevel'),
        socks: keys('auth accounts udp ip userLevel'),
        http: keys('accounts allowTransparent userLevel'),
        'dokodemo-door': keys('address port network followRedirect userLevel portMap'),
      },
      keys('protocol port listen tag', {
        sniffing: keys('enabled destOverride metadataOnly routeOnly domainsExcluded ipsExcluded'),
        streamSettings: xrayStream,
      }),
    ),
  ],
  outbounds: [
    byProtocol(
      {
        vmess: { vnext: [keys('address port', { users: [keys('id security level email experiments')] })] },
        freedom: keys('domainStrategy redirect userLevel fragment noises proxyProtocol finalRules'),
        blackhole: { response: keys('type') },
        dns: keys('network address port userLevel nonIPQuery blockTypes rules'),
        loopback: keys('inboundTag'),
        socks: upstream,
        http: { ...upstream, ...keys('headers') },
      },
      keys('protocol tag sendThrough targetStrategy', {
        proxySettings: keys('tag transportLayer'),
        mux: keys('enabled concurrency xudpConcurrency xudpProxyUDP443'),
        streamSettings: xrayStream,
      }),
    ),
  ],
  routing: keys('domainStrategy', {
    rules: [keys(`type outboundTag balancerTag ruleTag localIP localPort ${conditions}`)],
    balancers: [balancer],
  }),
  dns: keys(
    'hosts clientIp tag queryStrategy disableCache disableFallback disableFallbackIfMatch useSystemHosts serveStale ' +
      'serveExpiredTTL enableParallelQuery',
    {
      servers: [
        keys(
          'address port domains expectIPs unexpectedIPs clientIp skipFallback queryStrategy tag disableCache timeoutMs ' +
            'finalQuery serveStale serveExpiredTTL',
        ),
      ],
    },
  ),
  policy: { levels: { '*': { ...level, ...keys('statsUserOnline') } }, system },
  stats: {},
  api: keys('tag services listen'),
  fakedns: [keys('ipPool poolSize')],
  metrics: keys('tag listen'),
  ...observatories('enableConcurrency', 'httpMethod'),
}

/** Keys of V2Ray and Xray in their letter case, and those of which these are aliases or old forms, by their small letters. */
export const spellings: ReadonlyMap<string, string> = new Map(
  [
    ...namesIn(v2ray),
    ...namesIn(xray),
    ...[...Object.values(v2rayInbounds), ...Object.values(v2rayOutbounds)].flatMap(namesIn),
    ...namesIn(v2rayStream),
    ...namesIn(xrayStream),
    ...(
      'inbound inboundDetour outbound outboundDetour transport settings users uuid vnext servers address port method ' +
      'rawSettings gunSettings splithttpSettings domainOverride domainStrategy targetStrategy rewriteAddress rewritePort ' +
      'rewriteNetwork allowedNetwork domains sourceIP expectedIPs features user pass level email limits fallback strategy ' +
      'control accounting env trustedProxies packetEncoding parseXForwardedFor handshakesPerAddress normalizeTrailingDot ' +
      'multiObservatory xmux extra host mode finalRules noises fragment ruleTag webhook process reverse bridges portals ' +
      'echForceQuery allowInsecureIfPinnedPeerCertificate delayAuthWrite h1SkipWaitForReply parseXForwardedFor'
    ).split(' '),
  ].map((name) => [name.toLowerCase(), name]),
)

function namesIn(shape: Shape): string[] {
  if (shape === true) return []
  if (typeof shape === 'function') return namesIn(shape({}))
  if (Array.isArray(shape)) return namesIn((shape as readonly [Shape])[0])
  return Object.entries(shape).flatMap(([key, inner]) => [...(key === '*' ? [] : [key]), ...namesIn(inner as Shape)])
}
