/** The library's front door: a stream through a server, a server inside a program, and links. Re-exports only. */

export {
  type Client,
  type ConnectOptions,
  createClient,
  type PacketOptions,
  type ServerSettings,
} from './app/client.ts'
export { connect } from './app/connect.ts'
export { createServer, Server, type ServerEvents, type ServerOptions } from './app/server.ts'
export type { ConfigInput, InboundInput, OutboundInput } from './config/input.ts'
export { formatLink, linkToOutbound, parseLink, type ShareLink } from './config/link/share-link.ts'
export { ConfigError, type LoadOptions, type LoadResult, loadConfig, type Problem } from './config/load.ts'
export type {
  Control,
  ControlEvent,
  CounterView,
  InboundView,
  LimitsInput,
  LimitsView,
  NewUser,
  OutboundView,
  ReloadRefusal,
  ReloadReport,
  SessionView,
  StatusView,
  UserChange,
  UserView,
} from './control/control.ts'
export type { Address } from './core/address.ts'
export type { PacketConn, PacketInfo, PacketSink } from './core/datagrams/packet.ts'
export type { LogFields, Logger } from './core/env.ts'
export { type ErrorCode, errorCodes, type Fault, ProxyError } from './core/errors.ts'
export type { Lifetime } from './core/lifetime.ts'
export type { FlowUser, Session, Totals } from './core/session.ts'
export type { DatagramSocket, DatagramSocketEvents, DatagramSource } from './net/datagrams/datagram-socket.ts'
export type { DuplexSocket } from './net/streams/duplex-socket.ts'
