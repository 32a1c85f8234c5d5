/** What is measured: a program that is client and server, told in one form what both have to do. */

import { join } from 'node:path'
import { projectRoot } from '../../test/interop/rig/root.ts'

export type Transport = 'tcp' | 'ws' | 'grpc' | 'h2' | 'httpupgrade' | 'mkcp' | 'xhttp'

/** How the bytes go from client to server. */
export interface Way {
  readonly security: string
  readonly transport: Transport
  readonly tls: boolean
  /** Streams in one connection of Mux.Cool, or none of it. */
  readonly mux: number | undefined
  /** How datagrams are packed: each session by the command for UDP, or XUDP. */
  readonly packets: 'command 2' | 'XUDP'
  /** Users that the file of an end names; a client is one of them in each connection, drawn at random. */
  readonly users: number
}

/** A client, a server, and a local port of the client that leads to one target of this machine. */
export interface Link extends Way {
  readonly serverPort: number
  readonly doorPort: number
  readonly targetPort: number
  readonly network: 'tcp' | 'udp'
}

export interface Program {
  /** Heads a column. */
  readonly name: string
  /** A build of this project, which the others are compared with. */
  readonly own: boolean
  readonly version: string
  has(way: Way): boolean
  /** What is written to the file that it is started with. */
  config(role: 'server' | 'client', link: Link): object
  command(file: string, link: Link): readonly string[]
}

export const usualWay: Way = {
  security: 'aes-128-gcm',
  transport: 'tcp',
  tls: false,
  mux: undefined,
  packets: 'command 2',
  users: 1,
}

export const userId = '8e3d2f6a-51c7-4b0e-9a44-6f0b7d1c2e95'
export const certificateFile = join(projectRoot, 'test/fixtures/localhost.crt')
export const keyFile = join(projectRoot, 'test/fixtures/localhost.key')

/** For WebSocket and its like, and the name of a service of gRPC. */
export const path = '/bench'
export const service = 'bench'

/** How a way is written in tables and options: `ws+tls`. */
export const wayName = ({ transport, tls }: Pick<Way, 'transport' | 'tls'>): string =>
  tls ? `${transport}+tls` : transport
