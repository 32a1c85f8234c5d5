import { type ErrorCode, isProxyError, ProxyError } from '../core/errors.ts'

const codes: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: 'DIAL_REFUSED',
  ENOENT: 'DIAL_REFUSED', // a unix socket that nobody made
  ETIMEDOUT: 'DIAL_TIMEOUT',
  EHOSTUNREACH: 'DIAL_UNREACHABLE',
  ENETUNREACH: 'DIAL_UNREACHABLE',
  EADDRNOTAVAIL: 'DIAL_UNREACHABLE',
  EAFNOSUPPORT: 'DIAL_UNREACHABLE', // IPv6 switched off
  ENOTFOUND: 'DNS_FAILED',
  EAI_AGAIN: 'DNS_FAILED',
  ENODATA: 'DNS_FAILED',
  EMFILE: 'FD_EXHAUSTED',
  ENFILE: 'FD_EXHAUSTED',
}

const errno = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** The machine has no IPv6, or no IPv4. */
export const isFamilyMissing = (error: unknown): boolean =>
  errno(error) === 'EAFNOSUPPORT' || errno(error) === 'EADDRNOTAVAIL'

/** A failed dial in our terms. `to` is printed. */
export function dialError(error: unknown, to: string): ProxyError {
  if (isProxyError(error)) return error
  const code = codes[errno(error) ?? ''] ?? 'DIAL_FAILED'
  return new ProxyError(code, `cannot connect to ${to}: ${reasonText(error)}`, { cause: error })
}

/** A dial that was given up for `why`; a reason of ours, such as DIAL_TIMEOUT, stays as it is. */
export function abortError(why: Error, to: string): ProxyError {
  if (isProxyError(why)) return why
  return new ProxyError('DIAL_ABORTED', `the dial to ${to} was cancelled: ${why.message}`, { cause: why })
}

/** An established stream that broke, in our terms. */
export function streamError(error: unknown, remote: string): ProxyError {
  if (isProxyError(error)) return error
  const code = errno(error)
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return new ProxyError('CONN_RESET', `${remote || 'the peer'} reset the connection`, { cause: error })
  }
  return new ProxyError('CONN_CLOSED', `connection with ${remote || 'the peer'} broke: ${reasonText(error)}`, {
    cause: error,
  })
}

/** An address that cannot be listened on, with what to do about it. */
export function listenError(error: unknown, at: string): ProxyError {
  const code = errno(error)
  const hint =
    code === 'EADDRINUSE'
      ? 'another program, or another copy of this one, listens there: stop it or choose another port'
      : code === 'EACCES' || code === 'ENOENT'
        ? at.startsWith('unix:')
          ? 'the folder of the socket must exist, and this user must be able to write there'
          : 'ports below 1024 need root or the capability CAP_NET_BIND_SERVICE'
        : code === 'EADDRNOTAVAIL'
          ? 'this address does not belong to this machine'
          : undefined
  const message = `cannot listen on ${at}: ${reasonText(error)}`
  return new ProxyError('LISTEN_FAILED', message, hint === undefined ? { cause: error } : { cause: error, hint })
}

function reasonText(error: unknown): string {
  const texts: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connection refused',
    ENOENT: 'no such socket',
    ETIMEDOUT: 'no answer',
    EHOSTUNREACH: 'no route to host',
    ENETUNREACH: 'network is unreachable',
    ENOTFOUND: 'host name not found',
    EAI_AGAIN: 'name server did not answer',
    EMFILE: 'too many open files',
    EADDRINUSE: 'address already in use',
    EACCES: 'permission denied',
    EADDRNOTAVAIL: 'address not available',
    EAFNOSUPPORT: 'this machine has no such addresses',
  }
  return texts[errno(error) ?? ''] ?? (error instanceof Error ? error.message : String(error))
}

/** Most connections end in order and are then destroyed: an error of its own, with a stack, would be built for nobody. */
export const closedHere = new ProxyError('CONN_CLOSED', 'the connection was closed by this side')
export const closedInOrder = new ProxyError('CONN_CLOSED', 'the connection was closed in order')
