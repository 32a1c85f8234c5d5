/** One error class, one table of codes. docs/errors.md lists the same codes; a test compares the two. */

export type Fault = 'local' | 'remote' | 'network' | 'config' | 'policy'

/** Stable codes. `text` is the meaning shown in the documentation. */
export const errorCodes = {
  ADDRESS_INVALID: {
    fault: 'local',
    text: 'An address cannot be carried: a domain of over 255 bytes, or with characters that peers refuse.',
  },
  BODY_AUTH_FAILED: {
    fault: 'remote',
    text: 'A chunk of the body did not authenticate: the stream was changed on its way, or the peer sealed it with other keys.',
  },
  BODY_MALFORMED: { fault: 'remote', text: 'A chunk of the body is impossible: shorter than its own tag and padding.' },
  CONFIG_INVALID: { fault: 'config', text: 'The configuration has errors; `problems` lists each with its place.' },
  CONN_CLOSED: { fault: 'network', text: 'The connection was closed while it was still in use.' },
  CONN_RESET: { fault: 'network', text: 'The peer or the network reset the connection.' },
  DATAGRAM_TOO_LARGE: { fault: 'local', text: 'A datagram is larger than one chunk can carry; it was not sent.' },
  DIAL_ABORTED: {
    fault: 'local',
    text: 'The dial was cancelled: by whoever asked for it, or because the connection that wanted it went away.',
  },
  DIAL_FAILED: {
    fault: 'network',
    text: 'The connection could not be opened, for a reason that has no code of its own.',
  },
  DIAL_REFUSED: { fault: 'network', text: 'The target refused the connection: nothing listens on that port.' },
  DIAL_TIMEOUT: { fault: 'network', text: 'The target did not answer within the dial limit (16 s by default).' },
  DIAL_UNREACHABLE: { fault: 'network', text: 'There is no route to the target.' },
  DNS_FAILED: { fault: 'network', text: 'The host name could not be resolved.' },
  FD_EXHAUSTED: { fault: 'local', text: 'The process has run out of file descriptors.' },
  CONTROL_CONFLICT: { fault: 'local', text: 'What is to be added exists already: a tag, an e-mail or an id.' },
  CONTROL_INVALID: { fault: 'local', text: 'A control command that cannot be carried out; the message says why.' },
  CONTROL_NOT_FOUND: {
    fault: 'local',
    text: 'A control command names a user, session, inbound or outbound that is not there.',
  },
  GRPC_MALFORMED: { fault: 'remote', text: 'A gRPC message makes no sense.' },
  HANDSHAKE_TIMEOUT: { fault: 'remote', text: 'The peer did not finish its handshake within the policy limit.' },
  HTTP_BAD_REQUEST: { fault: 'remote', text: 'The HTTP proxy request could not be understood.' },
  HTTP_BAD_RESPONSE: { fault: 'remote', text: 'The answer of an HTTP origin could not be understood.' },
  HTTP_UNAUTHORIZED: { fault: 'remote', text: 'The HTTP proxy client gave no or wrong credentials.' },
  IDLE_TIMEOUT: { fault: 'policy', text: 'No byte passed within the idle limit of the policy level.' },
  LINK_INVALID: { fault: 'config', text: 'A share link cannot be read; the message says which part.' },
  LISTEN_FAILED: { fault: 'local', text: 'An address could not be listened on: in use, not ours, or not permitted.' },
  LOG_FAILED: { fault: 'local', text: 'A log file could not be opened for writing.' },
  LOOP_DETECTED: { fault: 'config', text: 'The outbound leads back to an inbound of the same instance.' },
  MUX_MALFORMED: { fault: 'remote', text: 'A frame of Mux.Cool makes no sense.' },
  MUX_STALLED: {
    fault: 'policy',
    text: 'A multiplexed stream was not read while the others waited behind it, so it alone was ended.',
  },
  MUX_TOO_MANY: { fault: 'policy', text: 'A client has as many streams open on one carrier as permitted.' },
  NO_OUTBOUND: { fault: 'config', text: 'There is no outbound to carry the connection.' },
  OUTBOUND_BLOCKED: { fault: 'policy', text: 'The connection was sent to a blackhole.' },
  OUTBOUND_MISSING: {
    fault: 'config',
    text: 'The rule that takes the connection leads to an outbound that does not exist, so it is blocked.',
  },
  OUTBOUND_TCP_ONLY: { fault: 'config', text: 'The outbound that datagrams were sent to does not carry any.' },
  PACKETADDR_MALFORMED: { fault: 'remote', text: 'A unit of packetaddr makes no sense.' },
  PROTOCOL_MISUSE: { fault: 'local', text: 'A session was used in an order that its documentation does not allow.' },
  PROXY_HEADER_INVALID: {
    fault: 'remote',
    text: 'A connection to an inbound with `acceptProxyProtocol` did not begin with a PROXY protocol header.',
  },
  RESPONSE_AUTH_FAILED: {
    fault: 'remote',
    text: 'The response header did not open: the answer is not from the server that holds the id.',
  },
  RESPONSE_MISMATCH: { fault: 'remote', text: 'The response authentication byte differs from the request’s.' },
  RESPONSE_MISSING: {
    fault: 'remote',
    text: 'The server closed without answering, or stays silent and never answered before; the message lists the likely causes in order.',
  },
  SERVER_FAULT: { fault: 'local', text: 'Something of the server does not work as it should; the message says what.' },
  SESSION_ENDED: { fault: 'policy', text: 'An operator ended the session.' },
  SHUTTING_DOWN: { fault: 'local', text: 'The instance is stopping.' },
  SOCKS_BAD_REQUEST: { fault: 'remote', text: 'The SOCKS request could not be understood.' },
  SOCKS_COMMAND_UNSUPPORTED: {
    fault: 'remote',
    text: 'The SOCKS command is not offered: BIND, or UDP ASSOCIATE without `udp`.',
  },
  SOCKS_UNAUTHORIZED: {
    fault: 'remote',
    text: 'The SOCKS client gave no or wrong credentials, or offers no acceptable method.',
  },
  STORE_FAILED: { fault: 'local', text: 'The store of used traffic could not be opened, read or written.' },
  STRANGER_EVICTED: {
    fault: 'policy',
    text: 'A connection was closed in its handshake, as the oldest one, to make room for newer ones.',
  },
  TARGET_FORBIDDEN: {
    fault: 'policy',
    text: 'The target is the API of this very instance, which asks for no password.',
  },
  TARGET_REFUSED: {
    fault: 'policy',
    text: 'A rule of the outbound (`finalRules`) refuses the address that it would dial.',
  },
  TLS_FAILED: { fault: 'network', text: 'The TLS handshake failed; the message says on which check.' },
  TRUNCATED: { fault: 'remote', text: 'The stream ended inside a unit.' },
  UDP_MAKES_ROOM: {
    fault: 'policy',
    text: 'A session of datagrams that had been quiet for longest was ended to make room for another.',
  },
  UPGRADE_FAILED: {
    fault: 'remote',
    text: 'The server did not agree to carry the stream by WebSocket, HTTPUpgrade, gRPC, HTTP/2 or xhttp; the message says what it answered.',
  },
  UPGRADE_REJECTED: {
    fault: 'remote',
    text: 'A request to an inbound with WebSocket, HTTPUpgrade, gRPC, HTTP/2, xhttp or the http header was not for it: another path or host, or no upgrade.',
  },
  UPSTREAM_BAD_ANSWER: {
    fault: 'remote',
    text: 'The SOCKS or HTTP proxy of an outbound gave an answer that makes no sense, or none.',
  },
  UPSTREAM_REFUSED: {
    fault: 'remote',
    text: 'The SOCKS or HTTP proxy of an outbound did not do what it was asked for; the message says what it answered.',
  },
  UPSTREAM_UNAUTHORIZED: {
    fault: 'remote',
    text: 'The SOCKS or HTTP proxy of an outbound wants a login, or another one.',
  },
  USER_ADDRESSES: { fault: 'policy', text: 'The user is connected from more addresses than permitted.' },
  USER_CONNECTIONS: { fault: 'policy', text: 'The user has as many connections as permitted.' },
  USER_DISABLED: { fault: 'policy', text: 'The user is disabled.' },
  USER_EXPIRED: { fault: 'policy', text: 'The date until which the user may connect has passed.' },
  USER_INVALID_ID: { fault: 'config', text: 'A user id is neither a UUID nor a custom string of 1 to 30 bytes.' },
  USER_QUOTA: { fault: 'policy', text: 'The user has used up the permitted traffic.' },
  USER_REMOVED: { fault: 'policy', text: 'The user was removed while the session ran.' },
  VMESS_ADDRESS_INVALID: { fault: 'remote', text: 'The request names an impossible address.' },
  VMESS_CHECKSUM: { fault: 'remote', text: 'The checksum of the request header is wrong.' },
  VMESS_CLOCK_SKEW: {
    fault: 'remote',
    text: 'The id is right but the client’s clock is more than 120 s off; the message says by how much and in which direction.',
  },
  VMESS_COMMAND_UNSUPPORTED: { fault: 'remote', text: 'The request asks for a command that is not offered.' },
  VMESS_FOREIGN_PROTOCOL: { fault: 'remote', text: 'The bytes are not VMess but HTTP, TLS, SOCKS or SSH.' },
  VMESS_HEADER_AUTH_FAILED: { fault: 'remote', text: 'The id is known but the sealed header does not open.' },
  VMESS_HEADER_INVALID: { fault: 'remote', text: 'A field of the request header is out of its range.' },
  VMESS_INSECURE_REFUSED: {
    fault: 'policy',
    text: 'The client asked for none, zero or aes-128-cfb, which `disableInsecureEncryption` forbids.',
  },
  VMESS_REPLAY: { fault: 'remote', text: 'The same authentication or session was seen before: a replay.' },
  VMESS_UNKNOWN_USER: { fault: 'remote', text: 'No user’s id opens the request: unknown id, or not VMess at all.' },
  WEBSOCKET_MALFORMED: { fault: 'remote', text: 'A WebSocket frame makes no sense.' },
} as const satisfies Record<string, { fault: Fault; text: string }>

export type ErrorCode = keyof typeof errorCodes

/** Every error that leaves this library. Match on `code`; `instanceof` fails across copies of the package. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError'
  readonly code: ErrorCode
  readonly fault: Fault
  /** Text behind the message for people, e.g. what to try; never a secret. */
  readonly hint: string | undefined
  /** The part of what was asked for that it is about, such as `limits.quota`. */
  readonly field: string | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; hint?: string | undefined; field?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.fault = errorCodes[code].fault
    this.hint = options.hint
    this.field = options.field
  }
}

export const isProxyError = (error: unknown): error is ProxyError =>
  error instanceof Error && error.name === 'ProxyError'

/** The error itself if it is ours, else wrapped under `code`. */
export function toProxyError(error: unknown, code: ErrorCode): ProxyError {
  if (isProxyError(error)) return error
  return new ProxyError(code, error instanceof Error ? error.message : String(error), { cause: error })
}
