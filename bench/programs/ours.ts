/** Builds of this project: one per runtime, and where it has a native twin, one with and one without it. */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { cliPath } from '../../test/interop/rig/harness.ts'
import type { Link, Program } from './program.ts'
import { v2rayFile } from './v2ray-like.ts'

/** What `vmess` is when it is installed; a build before that was so has the other. */
const bin = join(dirname(cliPath), 'vmess.cjs')
const command = existsSync(bin) ? bin : cliPath

/** Switches the native twin off, for a whole process. */
const withoutTwin = ['/usr/bin/env', 'VMESS_NATIVE=off']

const describesTwin = `import { describeTwin } from ${JSON.stringify(join(dirname(cliPath), 'crypto/twin.js'))}; console.log(describeTwin())`

/** This Node, and each other runtime by the file of its executable. */
export function ownPrograms(runtimes: readonly string[]): Program[] {
  if (!existsSync(cliPath)) throw new Error(`${cliPath} is missing: build the project first`)
  return [
    variants('ours', process.execPath),
    ...runtimes.map((file) => variants(`ours ${runtimeName(file)}`, file)),
  ].flat()
}

function variants(name: string, runtime: string): Program[] {
  const version = output([runtime, command, 'version']).split('\n')[0]!
  const twin = output([runtime, '--input-type=module', '-e', describesTwin])
  const program = (suffix: string, under: readonly string[], variant: string): Program => ({
    name: `${name}${suffix}`,
    own: true,
    version: `${version}${variant}`,
    has: () => true,
    config: (role, link) => v2rayFile(role, link, { outbound: packing }),
    command: (file) => [...under, runtime, command, 'run', '-c', file],
  })
  if (twin.startsWith('none')) return [program('', [], '')]
  return [program('', [], ', native twin'), program(' plain', withoutTwin, ', TypeScript only')]
}

const packing = ({ network, packets }: Link): object =>
  network === 'udp' ? { packetEncoding: packets === 'XUDP' ? 'xudp' : 'none' } : {}

function runtimeName(file: string): string {
  const script = 'process.versions.bun ? "Bun " + process.versions.bun : "Node " + process.versions.node'
  const [name, version] = output([file, '-p', script]).split(' ')
  if (!name || !version) throw new Error(`--runtime: ${file} (${basename(file)}) is neither Node nor Bun`)
  return `${name} ${version.split('.')[0]}`
}

function output([command, ...args]: readonly string[]): string {
  const { stdout, stderr, status, error } = spawnSync(command!, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')}: ${error?.message ?? stderr}`)
  return stdout.trim()
}
