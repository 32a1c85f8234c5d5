/**
 * GlobalID of XUDP: 8 bytes that name a client's UDP socket, by which a server finds the socket that it has opened for
 * it when the datagrams come by another carrier. Nobody else may guess it, and no two sockets may share one.
 */
import { globalIdLength } from './model.ts'

/** A keyed hash: `length` bytes from a key of 32 bytes. Peers take BLAKE3. */
export type KeyedHash = (key: Uint8Array, message: Uint8Array, length: number) => Uint8Array

/** 32 bytes for one user of a server, so that two users of one client never name a socket alike. @param key 32 bytes */
export const globalIdKey = (hash: KeyedHash, key: Uint8Array, user: Uint8Array): Uint8Array => hash(key, user, 32)

/** @param source the socket as `ip:port` or `[ip]:port` */
export const globalId = (hash: KeyedHash, key: Uint8Array, source: string): Uint8Array =>
  hash(key, new TextEncoder().encode(`udp:${source}`), globalIdLength)

/** Written where a peer expects the field and there is no socket to name. */
export const noGlobalId = new Uint8Array(globalIdLength)
