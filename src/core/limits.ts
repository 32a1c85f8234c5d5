import { dnsLimits } from './limits/dns.ts'
import { http2Limits } from './limits/http2.ts'
import { reverseLimits } from './limits/reverse.ts'
import { routingLimits } from './limits/routing.ts'
import { tlsLimits } from './limits/tls.ts'
import { userLimits } from './limits/users.ts'
import { xhttpLimits } from './limits/xhttp.ts'

/** Every bound with its default. docs/limits.md lists the same names. */
export const limits = {
  ...dnsLimits,
  ...tlsLimits,
  ...userLimits,
  ...xhttpLimits,
  /** The read buffer that all raw sockets of a thread share, bytes: sixteen full chunks, so that no batch leaves a small one over. */
  sharedReadBuffer: 261_888,
  /** What one read brings while it is not known what a connection is for, bytes: that much is copied, and may be kept for a while. */
  firstRead: 16_368,
  /** What one read brings where a speed limit holds, bytes: that much may have to be copied while it waits for its turn. */
  pacedRead: 32_736,
  /** How many first bytes of a stream are looked at for what it is. */
  sniffedMax: 32_767,
  /** A connection's unsent bytes above which write() asks to wait, until the policy level of its user says otherwise. */
  writeHighWater: 512 * 1024,
  /** The largest buffer that a policy level can ask for, bytes, each way. */
  policyBufferMax: 64 * 1024 * 1024,
  /** One dial, from name look-up to the end of the TLS handshake, ms. */
  dialTimeoutMs: 16_000,
  /** The longest that a dial goes on for a client that has finished sending, ms: it may have left. */
  halfClosedDialMs: 2_000,
  /** One attempt of a dial while there are other servers left to try, ms. */
  attemptMs: 4_000,
  /** Addresses of one name that a dial tries. */
  dialAddresses: 16,
  /** Time between two attempts of a dial, when the earlier one has not failed, ms (RFC 8305). */
  attemptDelayMs: 250,
  /** How long a dial waits for IPv6 addresses when it has IPv4 ones, ms (RFC 8305). */
  resolutionDelayMs: 50,
  /** How long a server that could not be reached is passed over, the first time, ms. Twice as long each further time. */
  backOffFirstMs: 1_000,
  /** The longest that a server is passed over, ms. */
  backOffMaxMs: 60_000,
  /** Servers of one outbound that responses named; when full the oldest goes. */
  temporaryServers: 64,
  /** Alternative ids used of an account that a response named. */
  switchedAlterIds: 64,
  /** How long a VMess header waits for a first payload to travel with, ms. */
  firstPayloadWaitMs: 100,
  /** How long a VMess server may keep silent before the log wonders, and a request to one that never answered ends, ms. */
  silenceMs: 5_000,
  /** Payload that a VMess request may have sent and count as one that waits for its answer, bytes; more is an upload. */
  silentRequestMax: 65_536,
  /** Seconds by which a client's clock may be wrong. */
  clockSkewS: 120,
  /** Sealed bytes of one chunk that we send, before padding; more breaks sing-box. */
  chunkSealedMax: 16_384,
  /** Threads that serve clients. */
  workers: 64,
  /** What the heap of a worker may come to at least, MiB; together they have as much as one would, where that is more. */
  workerHeapMinMb: 256,
  /** How long after an address is bound workers listen there, unless what bound it has them do so, ms. */
  workersFollowMs: 100,
  /** The longest that a worker which ended again and again is not replaced for, ms. */
  workerPauseMs: 30_000,
  /** AuthIDs remembered against replay; when full the oldest goes and the window narrows. */
  replayEntries: 1_000_000,
  /** Seconds for which (id, key, IV) is remembered. */
  sessionHistoryS: 180,
  /** Buffer of a UDP socket in the kernel, bytes each way; it gives what it permits. */
  udpSocketBuffer: 4 * 1024 * 1024,
  /** Bytes that wait in a UDP socket for the kernel to take them; what comes on top is dropped. */
  udpUnsent: 512 * 1024,
  /** Datagrams that wait for their target, its name or its connection; when full the oldest goes. */
  packetsWaiting: 16,
  /** The same where many targets share a connection. */
  packetsWaitingShared: 64,
  /** Bytes of datagrams inside a stream that its carrier has not taken; what comes on top is dropped. */
  packetsUnsent: 256 * 1024,
  /** Bytes of datagrams inside a stream that are read at once: a system reads many times in a turn, and others wait meanwhile. */
  packetsRead: 16 * 1024,
  /** Datagrams, or frames of a carrier, that one connection brings in a turn of the event loop: then others have theirs. */
  unitsPerTurn: 64,
  /** Targets that one VMess client socket has connections of their own for; when full the one that was quiet longest goes. */
  packetTargets: 64,
  /** Silence after which such a connection goes while there are others, ms. */
  packetTargetIdleMs: 60_000,
  /** Pause before a target whose connection failed is tried again, ms. */
  packetRetryMs: 1_000,
  /** Servers of which an outbound remembers whether they know XUDP; when full the oldest goes. */
  xudpServers: 256,
  /** A server that ends a connection for XUDP without a word, and within this time, does not know it, ms. */
  xudpTrialMs: 10_000,
  /** Names of targets that one datagram socket remembers; when full the oldest goes. */
  packetNames: 256,
  /** Sessions of datagrams, of a user from one address, at once; for one more the one goes that was quiet longest. */
  udpSessionsPerClient: 8_192,
  /** Sessions of datagrams at once in all; for one more the one goes that was quiet longest. */
  udpSessions: 16_384,
  /** What one client socket may send before its session is ready, bytes; more is dropped. */
  udpHeld: 64 * 1024,
  /** How long a SOCKS association is kept for which no datagram has come, ms. */
  udpAssociationMs: 300_000,
  /** How exactly it is known for how long a session of datagrams has been quiet, ms. */
  udpQuietStepMs: 1_000,
  /** A SOCKS or HTTP request head, bytes. */
  requestHeadMax: 64 * 1024,
  /** The head of an HTTP origin's answer, bytes. */
  responseHeadMax: 256 * 1024,
  /** The head of a request that is to become WebSocket or HTTPUpgrade, bytes: what nginx takes. */
  upgradeHeadMax: 32 * 1024,
  /** The head that disguises a tcp stream as HTTP, bytes; V2Ray and Xray take no more either. */
  disguiseHeadMax: 8 * 1024,
  /** Warnings in a minute about clients that were turned away, whoever they are; the others are noted at info. */
  rejectionWarnings: 20,
  /** Requests that are not for the proxy and that one connection may make before it is closed, as with nginx. */
  strangerRequests: 1_000,
  /** How long a client may take for the head of its first request where a web site answers others, ms, as with nginx. */
  siteHeadMs: 60_000,
  /** How long a reader of the web site may take for a part of an answer, ms, as with nginx. */
  siteSendMs: 60_000,
  /** How long a connection with another server that answers as the web site may carry nothing, ms. */
  siteIdleMs: 300_000,
  /** How often it is said that the server behind `fallback` cannot be reached, ms. */
  siteWarningMs: 60_000,
  /** How long a connection that was answered as by a web server is kept for a further request, ms, as with nginx. */
  strangerIdleMs: 65_000,
  /** First bytes of a stream that may travel inside an upgrade request, bytes, whatever is configured. */
  earlyDataMax: 8 * 1024,
  /** How long a server may take to agree to an upgrade that travels with the first write, ms. */
  upgradeMs: 8_000,
  /** The largest payload of a WebSocket frame that we send, bytes. */
  webSocketFrame: 65_535,
  /** mKCP connections of one listening address at once, of each form that it takes; further ones are not heard. */
  kcpConnections: 8_192,
  /** Of these, the ones that have not shown who they are; for one more the oldest goes. */
  kcpStrangers: 1_024,
  /** The same of one address, which loses its own oldest. */
  kcpStrangersPerAddress: 256,
  /** Segments that such a connection may have waiting, beyond the one that is read next. */
  kcpStrangerWindow: 64,
  /** What several mKCP segments that can be read at once are put together to, bytes. */
  kcpBatch: 32 * 1024,
  /** Servers of which an mKCP client remembers whether they speak V2Ray's form or Xray's. */
  kcpServers: 64,
  /** How exactly the timers of mKCP go, ms. */
  kcpTimerMs: 2,
  ...http2Limits,
  ...routingLimits,
  /** Requests in a row without the right password that one HTTP connection may make before it is closed. */
  httpChallenges: 3,
  /** Body of an HTTP request without the right password that is read and dropped so that its connection can go on, bytes. */
  httpDroppedBodyMax: 64 * 1024,
  /** How long the last bytes of a connection may take to leave, however slowly the peer reads, ms. */
  flushMs: 300_000,
  /** How long a connection that was turned away is still read, so that the answer is not lost to a TCP reset, ms. */
  lingerMs: 1_000,
  /** Sub-streams in use at once on one carrier of ours, where the configuration does not say. */
  muxConcurrency: 8,
  /** Sub-streams that one carrier of ours carries in its life. */
  muxSubstreamsEver: 128,
  /** Sub-streams that a client may have open at once on one carrier; more are refused one by one. */
  muxSubstreamsOpen: 1_024,
  /** How long a carrier of ours without a sub-stream is kept, ms. */
  muxClientIdleMs: 16_000,
  /** How long a client's carrier without a sub-stream is kept, ms. */
  muxServerIdleMs: 120_000,
  /** Bytes of one sub-stream that may wait to be read before its carrier is paused. One frame is held on top, and what one read of the carrier brought. */
  muxUnreadPerStream: 1024 * 1024,
  /** Bytes of all sub-streams of a carrier that may wait to be read before it is paused. */
  muxUnreadPerCarrier: 8 * 1024 * 1024,
  /** How long an unread sub-stream may keep the others of its carrier waiting before it is ended, ms. */
  muxStallMs: 5_000,
  /** The largest datagram that is sent inside a carrier: V2Ray ends the whole carrier over a larger one. */
  muxDatagramMax: 2_048,
  /** Datagrams of one sub-stream that wait for their receiver to be ready, bytes. More are dropped. */
  muxDatagramsHeld: 64 * 1024,
  ...reverseLimits,
  /** How long a client's socket that is known by its GlobalID waits for its next carrier, ms. */
  xudpExpiryMs: 60_000,
  /** Graceful shutdown, ms. */
  shutdownMs: 10_000,
  /** Descriptors kept free for the program itself, such as questions to name servers; at most a sixteenth of all. */
  fdReserve: 512,
  /** Descriptors that the program is taken to use itself, where the system does not say. */
  fdOthers: 32,
  /** Of the last free descriptors so many are for newcomers rather than for dials; at most an eighth. Half of an eighth is for dials alone. */
  fdBurst: 256,
  /** Where no more are free, dials wait until nobody has come in for so long, ms: those of one burst get in first. */
  fdQuietMs: 200,
  /** The longest that a dial waits for that, ms. */
  fdWaitMs: 1_000,
  /** How often the log repeats that descriptors are running out, ms. */
  fdWarningMs: 10_000,
  /** Connections of one address in their handshake, unless `policy.system.handshakesPerAddress` says otherwise; for one more its oldest goes. */
  handshakesPerAddress: 1_024,
  /** What is held of a PROXY protocol header, bytes: the longest up to the end of its addresses; what follows is passed over. */
  proxyHeaderHeld: 232,
  /** A PROXY protocol header must be there within, ms, or within the time for a handshake where that is shorter. */
  proxyHeaderMs: 10_000,
  /** Clients that the kernel may hold for us until they are accepted; it caps it at `net.core.somaxconn`. */
  listenBacklog: 65_535,
  /** Pause before a listener that could not be opened again is tried once more, ms. */
  reopenMs: 1_000,
  /** Failures to open a port after which a batch of dynamic ports does with those that it has. */
  portTries: 32,
  /** How often the log repeats that a detour leads nowhere, ms. */
  detourWarningMs: 60_000,
  /** Users that one transaction writes to the store of used traffic. */
  storeBatch: 500,
  /** How long a write to that store waits for a lock, ms: meanwhile nothing else happens, and it is tried again anyway. */
  storeBusyMs: 50,
  /** Connections to the gRPC API at once; for one more the one goes that has been silent for longest. */
  apiConnections: 32,
  /** The first request of a connection to the gRPC or the control API must begin within, ms. */
  apiSilenceMs: 10_000,
  /** A connection to the gRPC API without a call is closed after, ms. */
  apiIdleMs: 300_000,
  /** Calls in progress on one connection to the gRPC API. */
  apiStreams: 16,
  /** How long regular expressions of a gRPC call may look for counters, ms: nothing else happens meanwhile. */
  apiPatternMs: 200,
  /** A request to the control API, bytes. */
  controlBodyMax: 1024 * 1024,
  /** Connections to the control API at once; for one more the one goes that has been silent for longest. */
  controlConnections: 256,
  /** Event streams of the control API at once. */
  controlStreams: 32,
  /** What one event stream may hold unread before it loses events, bytes. */
  controlStreamBuffer: 1024 * 1024,
  /** Sessions that one event lists. */
  controlListedSessions: 1_000,
  /** Items on one page of a list. */
  controlPage: 500,
  /** Work for a list of many may hold up everybody else for this long, ms; then they have their turn. */
  sliceMs: 2,
  /** The shortest token of the control API, characters. */
  controlTokenMin: 16,
  /** Wrong tokens from one address within a minute before further wrong ones are refused until the minute is over. */
  controlWrongTokens: 10,
  /** Faults of this program within a minute that end only the connection concerned; one more ends the command. */
  faultsPerMinute: 60,
  /** Addresses of one user remembered as one too many; when full the oldest goes. */
  refusedAddresses: 64,
  /** Users who are gone and whose counters are kept; when full those of the one who left first go. */
  formerUsers: 10_000,
} as const
