/** Which programs are there: by option, by variable of the environment, or on the PATH. */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { ownPrograms } from './ours.ts'
import { type PeerKind, peerKinds, variableOf } from './peers.ts'
import type { Program } from './program.ts'

export interface Found {
  readonly programs: readonly Program[]
  /** What was looked for and is not there. */
  readonly missing: readonly string[]
}

/** `paths`: what options say, by their names. `only`: names of programs as `--programs` writes them; none: all. */
export function findPrograms(
  paths: Readonly<Record<string, string | undefined>>,
  runtimes: readonly string[],
  only: readonly string[],
): Found {
  const peers = peerKinds.map((kind) => peer(kind, paths[kind.option]))
  const all = [...ownPrograms(runtimes), ...peers.filter((found) => found !== undefined)]
  for (const name of only) {
    if (!all.some((program) => wordOf(program.name) === name))
      throw new Error(`--programs: "${name}" is none of ${all.map((program) => wordOf(program.name)).join(', ')}`)
  }
  return {
    programs: only.length === 0 ? all : all.filter(({ name }) => only.includes(wordOf(name))),
    missing: peerKinds.filter((_, i) => peers[i] === undefined).map(({ name }) => name),
  }
}

/** A program's name as a word: `ours-plain`, `v2ray-5`. */
const wordOf = (name: string): string => name.toLowerCase().replaceAll(' ', '-')

function peer(kind: PeerKind, said: string | undefined): Program | undefined {
  // A build may not know which version it is.
  const [named, known] = (said ?? process.env[variableOf(kind.option)])?.split('=') ?? []
  if (named !== undefined && !existsSync(named)) throw new Error(`--${kind.option}: there is no ${named}`)
  const file = named === undefined ? onPath(kind.onPath) : resolve(named)
  if (file === undefined) return undefined
  const { stdout, stderr } = spawnSync(file, kind.versionArgs, { encoding: 'utf8' })
  const version = known ?? kind.version.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown'
  return { name: kind.name, own: false, version, ...kind.make(file) }
}

function onPath(command: string | undefined): string | undefined {
  if (command === undefined) return undefined
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, command))
    .find((path) => existsSync(path))
}
