/** Every bound with its default. docs/limits.md lists the same names. */
export const limits = {
  /** The read buffer that all raw sockets of a thread share, bytes: sixteen full chunks, so that no batch leaves a small one over. */
  sharedReadBuffer: 261_888,
  /** A connection's unsent bytes above which write() asks to wait, until the policy level of its user says otherwise. */
  writeHighWater: 512 * 1024,
  /** The largest buffer that a policy level can ask for, bytes, each way. */
  policyBufferMax: 64 * 1024 * 1024,
  /** One dial, from name look-up to the end of the TLS handshake, ms. */
  dialTimeoutMs: 16_000,
  /** One attempt of a dial while there are other servers left to try, ms. */
  attemptMs: 4_000,
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
  /** How long a VMess server may keep silent before the log wonders, ms. */
  silenceMs: 5_000,
  /** Seconds by which a client's clock may be wrong. */
  clockSkewS: 120,
  /** Sealed bytes of one chunk that we send, before padding; more breaks sing-box. */
  chunkSealedMax: 16_384,
  /** AuthIDs remembered against replay; when full the oldest goes and the window narrows. */
  replayEntries: 1_000_000,
  /** Seconds for which (id, key, IV) is remembered. */
  sessionHistoryS: 180,
  /** A SOCKS or HTTP request head, bytes. */
  requestHeadMax: 64 * 1024,
  /** How long the last bytes of a connection may take to leave, however slowly the peer reads, ms. */
  flushMs: 300_000,
  /** How long a connection that was turned away is still read, so that the answer is not lost to a TCP reset, ms. */
  lingerMs: 1_000,
  /** Graceful shutdown, ms. */
  shutdownMs: 10_000,
  /** Descriptors kept free: accepting pauses when fewer are left. */
  fdReserve: 64,
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
  /** Connections to the gRPC API at once; more are closed. */
  apiConnections: 32,
  /** Calls in progress on one connection to the gRPC API. */
  apiStreams: 16,
  /** How long regular expressions of a gRPC call may look for counters, ms: nothing else happens meanwhile. */
  apiPatternMs: 200,
  /** A request to the control API, bytes. */
  controlBodyMax: 1024 * 1024,
  /** Connections to the control API at once. */
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
  /** Addresses of one user remembered as one too many; when full the oldest goes. */
  refusedAddresses: 64,
  /** Users who are gone and whose counters are kept; when full those of the one who left first go. */
  formerUsers: 10_000,
} as const
