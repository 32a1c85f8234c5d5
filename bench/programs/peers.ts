/** The programs that this one is measured against. To add one: what it has, its files, its command. */

import type { Link, Program, Transport, Way } from './program.ts'
import { shoesFile } from './shoes.ts'
import { singBoxFile } from './sing-box.ts'
import { v2rayFile } from './v2ray-like.ts'

export interface PeerKind {
  readonly name: string
  /** Where it is looked for when no option says it. */
  readonly onPath?: string
  /** The option and, in capitals, the variable that name its file. */
  readonly option: string
  readonly versionArgs: readonly string[]
  readonly version: RegExp
  make(file: string): Pick<Program, 'has' | 'config' | 'command'>
}

const plainBodies = ['aes-128-gcm', 'chacha20-poly1305', 'none']

interface Abilities {
  readonly securities: readonly string[]
  readonly transports: readonly Transport[]
  /** Transports that it has over TLS only. */
  readonly tlsOnly?: readonly Transport[]
  readonly mux: boolean
  readonly packets: readonly Way['packets'][]
}

const hasAll =
  ({ securities, transports, tlsOnly = [], mux, packets }: Abilities) =>
  (way: Way): boolean =>
    securities.includes(way.security) &&
    transports.includes(way.transport) &&
    (way.tls || !tlsOnly.includes(way.transport)) &&
    (way.mux === undefined || mux) &&
    packets.includes(way.packets)

const v2ray4: PeerKind = {
  name: 'V2Ray',
  onPath: 'v2ray',
  option: 'v2ray',
  versionArgs: ['-version'],
  version: /V2Ray (\S+)/,
  make: (file) => ({
    has: hasAll({
      securities: [...plainBodies, 'zero'],
      transports: ['tcp', 'ws', 'h2', 'mkcp'],
      tlsOnly: ['h2'],
      mux: true,
      packets: ['command 2'],
    }),
    // It has no zero: none is what comes nearest.
    config: (role, link) =>
      v2rayFile(role, link, { securityOf: ({ security }) => (security === 'zero' ? 'none' : security) }),
    command: (config) => [file, '-config', config],
  }),
}

const v2ray5: PeerKind = {
  name: 'V2Ray 5',
  option: 'v2ray5',
  versionArgs: ['version'],
  version: /V2Ray (\S+)/,
  make: (file) => ({
    has: hasAll({
      securities: [...plainBodies, 'zero'],
      // HTTPUpgrade it has in its own format only.
      transports: ['tcp', 'ws', 'grpc', 'h2', 'mkcp'],
      tlsOnly: ['h2'],
      mux: true,
      packets: ['command 2'],
    }),
    config: (role, link) => v2rayFile(role, link),
    command: (config) => [file, 'run', '-config', config],
  }),
}

const xray: PeerKind = {
  name: 'Xray',
  option: 'xray',
  versionArgs: ['version'],
  version: /Xray (\S+)/,
  make: (file) => ({
    has: hasAll({
      securities: [...plainBodies, 'zero'],
      transports: ['tcp', 'ws', 'grpc', 'httpupgrade', 'mkcp', 'xhttp'],
      mux: true,
      packets: ['command 2', 'XUDP'],
    }),
    // Without rules of its own, it lets nobody reach this machine's addresses through VMess.
    config: (role, link) => v2rayFile(role, link, { freedom: { finalRules: [{ action: 'allow' }] } }),
    // It packs datagrams as XUDP unless its environment says that addresses are not to be kept.
    command: (config, { network, packets }: Link) => [
      ...(network === 'udp' && packets === 'command 2' ? ['/usr/bin/env', 'XRAY_CONE_DISABLED=true'] : []),
      file,
      'run',
      '-config',
      config,
    ],
  }),
}

const singBox: PeerKind = {
  name: 'sing-box',
  option: 'sing-box',
  versionArgs: ['version'],
  version: /version (\S+)/,
  make: (file) => ({
    has: hasAll({
      securities: [...plainBodies, 'zero'],
      transports: ['tcp', 'ws', 'grpc', 'h2', 'httpupgrade'],
      tlsOnly: ['h2'],
      // Its multiplexing is another protocol.
      mux: false,
      packets: ['command 2', 'XUDP'],
    }),
    config: singBoxFile,
    command: (config) => [file, 'run', '-c', config],
  }),
}

const shoes: PeerKind = {
  name: 'shoes',
  option: 'shoes',
  versionArgs: ['--version'],
  version: /(\d+\.\d+\.\d+)/,
  make: (file) => ({
    has: hasAll({
      securities: plainBodies,
      transports: ['tcp', 'ws'],
      mux: false,
      packets: ['XUDP'],
    }),
    config: shoesFile,
    command: (config) => [file, '--no-reload', config],
  }),
}

/** The variable of the environment that says the same as an option. */
export const variableOf = (option: string): string => option.toUpperCase().replace('-', '_')

/** In the order of their columns; the first is what the others are compared with. */
export const peerKinds: readonly PeerKind[] = [v2ray4, v2ray5, xray, singBox, shoes]

export const baseline = v2ray4.name
