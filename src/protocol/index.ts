/**
 * The VMess protocol without any input or output: bytes and values in, bytes and values out, clock and randomness as parameters.
 * For those who bring their own sockets; everybody else wants the main entry point.
 */
export type { Address } from '../core/address.ts'
export { formatAddress } from '../core/address.ts'
export type { Clock, Random } from '../core/env.ts'
export { type ErrorCode, type Fault, isProxyError, ProxyError } from '../core/errors.ts'
export { systemRandom } from '../crypto/random.ts'
export type { BodyOpener, BodyOptions, BodySealer, Security } from './vmess/body.ts'
export { ClientSession, type ClientSessionOptions, type SessionKeys } from './vmess/client.ts'
export { type ForeignProtocol, recognise } from './vmess/foreign.ts'
export { alterIds, commandKey, customId, formatUuid, parseId, parseUuid } from './vmess/identity.ts'
export { ReplayMemory, type SeenAuths, type SeenSessions, SessionHistory } from './vmess/replay.ts'
export type { Command } from './vmess/request.ts'
export type { ResponseOpener } from './vmess/response-opener.ts'
export { ServerSession, type ServerSessionOptions } from './vmess/server.ts'
export type { ServerRequest } from './vmess/server-request.ts'
export type { SwitchAccount } from './vmess/switch-account.ts'
export { type AuthMode, type Match, UserDirectory, type VmessIdentity } from './vmess/users.ts'
