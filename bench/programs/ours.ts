/** Builds of this project: one per runtime, and where it has a native twin, one with and one without it. */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { cliPath } from '../../test/interop/harness.ts'
import type { Link, Program } from './program.ts'
import { v2rayFile } from './v2ray-like.ts'

/** Switches the native twin off, for a whole process. */
const withoutTwin = ['/usr/bin/env', 'VMESS_NATIVE=off']

/** This Node, and each other runtime by the file of its executable. */
export function ownPrograms(runtimes: readonly string[]): Program[] {
  if (!existsSync(cliPath)) throw new Error(`${cliPath} is missing: build the project first`)
  return [
    variants('ours', process.execPath),
    ...runtimes.map((file) => variants(`ours ${runtimeName(file)}`, file)),
  ].flat()
}

function variants(name: string, runtime: string): Program[] {
  const plainVersion = versionOf([...withoutTwin, runtime])
  const version = versionOf([runtime])
  const program = (suffix: string, under: readonly string[], said: string): Program => ({
    name: `${name}${suffix}`,
    own: true,
    version: said.split('\n')[0]!,
    has: () => true,
    config: (role, link) => v2rayFile(role, link, { outbound: packing }),
    command: (file) => [...under, runtime, cliPath, 'run', '-c', file],
  })
  // What it says of itself differs where the twin is in use, whatever the words.
  if (version === plainVersion) return [program('', [], version)]
  return [program('', [], version), program(' plain', withoutTwin, plainVersion)]
}

const packing = ({ network, packets }: Link): object =>
  network === 'udp' ? { packetEncoding: packets === 'XUDP' ? 'xudp' : 'none' } : {}

function runtimeName(file: string): string {
  const script = 'process.versions.bun ? "Bun " + process.versions.bun : "Node " + process.versions.node'
  const [name, version] = output([file, '-p', script]).split(' ')
  if (!name || !version) throw new Error(`--runtime: ${file} (${basename(file)}) is neither Node nor Bun`)
  return `${name} ${version.split('.')[0]}`
}

const versionOf = (under: readonly string[]): string => output([...under, cliPath, 'version'])

function output([command, ...args]: readonly string[]): string {
  const { stdout, stderr, status, error } = spawnSync(command!, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')}: ${error?.message ?? stderr}`)
  return stdout.trim()
}
