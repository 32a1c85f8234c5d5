/** Which configuration files are read, and how. */
import * as fs from 'node:fs'
import { dirname, extname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Format, SourceText } from '../../config/load.ts'
import { CliError, exitCodes, usageError } from '../process/exit.ts'
import type { Terminal } from '../process/terminal.ts'

// Of these the module of promises would bring more than a start needs.
const [readFile, stat] = [promisify(fs.readFile), promisify(fs.stat)]

export interface SourceFlags {
  /** Files, `stdin:` or URLs, in the order given. */
  readonly config?: readonly string[]
  readonly confdir?: readonly string[]
  readonly recursive?: boolean
  readonly format?: string
}

type Where = Pick<Terminal, 'env' | 'cwd' | 'readInput' | 'err'> & {
  /** Directory of the executable: the last place for config.json. */
  readonly home: string
}

/**
 * In this order: every `-config`, then the directories, then only if that gave nothing `config.json` here, in the
 * directory that the environment names, and beside the program; then standard input.
 */
export async function readSources(flags: SourceFlags, where: Where): Promise<SourceText[]> {
  checkFormat(flags.format)
  const given = flags.config ?? []
  const directories = await configDirectories(flags, where)
  const names = [...given, ...(await filesOf(directories, flags.recursive === true))]
  if (names.length > 0) return Promise.all(names.map((name) => readSource(name, flags, where)))
  const candidates = [where.cwd, envPath(where.env, 'config') ?? where.home].map((folder) =>
    join(folder, 'config.json'),
  )
  for (const candidate of candidates) {
    if (await isFile(candidate)) return [await readSource(candidate, flags, where)]
  }
  const text = await where.readInput()
  const syntax = syntaxes.get(flags.format?.toLowerCase() ?? '') ?? 'json'
  if (text !== undefined && text.trim() !== '') return [await sourceOf('stdin', text, syntax)]
  const looked = [...(flags.confdir ?? []), ...candidates].map((path) => `  ${path}`).join('\n')
  const advice = 'Name a file with "vmess run -c FILE", or see it work without one: "vmess start".'
  throw new CliError(
    exitCodes.config,
    `No configuration was found. Looked for:\n${looked}\n  standard input\n${advice}`,
  )
}

type Syntax = 'json' | 'yaml' | 'toml'

/** By the words for `-format` and by extensions. */
const syntaxes: ReadonlyMap<string, Syntax> = new Map([
  ['json', 'json'],
  ['jsonc', 'json'],
  ['jsonv5', 'json'],
  ['v4', 'json'],
  ['yaml', 'yaml'],
  ['yml', 'yaml'],
  ['toml', 'toml'],
])

const isProtobuf = (word: string): boolean => ['pb', 'protobuf', 'jsonpb', 'v2jsonpb'].includes(word)
const notProtobuf = 'protobuf configurations are not supported, convert it to JSON'

function checkFormat(format: string | undefined): void {
  const word = (format ?? 'auto').toLowerCase()
  if (word === 'auto' || syntaxes.has(word)) return
  if (isProtobuf(word)) throw usageError(`-format ${word}: ${notProtobuf}`)
  throw usageError(`-format ${word}: unknown; write auto, json, jsonv5, v4, yaml or toml`)
}

/** Which of V2Ray's formats the flag names: V2Ray 5 has one of its own. */
export function formatOf({ format }: SourceFlags): Format {
  const word = format?.toLowerCase()
  return word === 'jsonv5' || word === 'v4' ? word : 'auto'
}

/** The text with what reads it. Parsers of what is not JSON are loaded when they are needed. */
async function sourceOf(name: string, text: string, syntax: Syntax): Promise<SourceText> {
  if (syntax === 'yaml') return { name, text, parse: (await import('../../config/text/yaml.ts')).parseYaml }
  if (syntax === 'toml') return { name, text, parse: (await import('../../config/text/toml.ts')).parseToml }
  return { name, text }
}

/** Directories from the flags, if any of them exists; else the one that the environment names. */
async function configDirectories(flags: SourceFlags, where: Where): Promise<string[]> {
  const given = (flags.confdir ?? []).map((folder) => resolve(where.cwd, folder))
  const existing: string[] = []
  for (const folder of given) if (await isDirectory(folder)) existing.push(folder)
  if (existing.length > 0) return existing
  const named = envPath(where.env, 'confdir')
  if (named !== undefined && (await isDirectory(named))) return [named]
  if (given[0] === undefined) return []
  throw new CliError(exitCodes.config, `${given[0]}: there is no such directory (given with -confdir)`)
}

async function filesOf(directories: readonly string[], recursive: boolean): Promise<string[]> {
  const files: string[] = []
  for (const directory of directories) {
    const names = (await namesIn(directory, recursive)).filter((name) => /\.(?:jsonc?|ya?ml|toml)$/i.test(name)).sort()
    for (const name of names) if (await isFile(join(directory, name))) files.push(join(directory, name))
  }
  return files
}

/** The value of `vmess.location.NAME`, spelt with dots or in capitals, with our prefix, Xray's or V2Ray's. */
function envPath(env: Where['env'], name: string): string | undefined {
  const spellings = ['vmess', 'xray', 'v2ray'].flatMap((prefix) => {
    const dotted = `${prefix}.location.${name}`
    return [dotted, dotted.replaceAll('.', '_').toUpperCase()]
  })
  return spellings.map((spelling) => env[spelling]).find((value) => value !== undefined && value !== '')
}

async function readSource(name: string, { format }: SourceFlags, where: Where): Promise<SourceText> {
  const wanted = syntaxes.get(format?.toLowerCase() ?? '')
  if (name === 'stdin:') {
    const text = await where.readInput()
    if (text === undefined)
      throw new CliError(exitCodes.config, 'stdin: standard input is a terminal; pipe a file into it')
    return sourceOf('stdin', text, wanted ?? 'json')
  }
  if (/^https?:\/\//i.test(name)) {
    const { name: shown, text } = await download(name)
    return sourceOf(shown, text, wanted ?? syntaxes.get(extname(shown).slice(1).toLowerCase()) ?? 'json')
  }
  // Without the rest of the address: it may hold a password.
  if (/^http\+unix:/i.test(name)) {
    throw new CliError(
      exitCodes.config,
      'http+unix: addresses are not supported; save the configuration as a file, or pipe it into "stdin:"',
    )
  }
  const extension = extname(name).slice(1).toLowerCase()
  if (!wanted && isProtobuf(extension)) throw new CliError(exitCodes.config, `${name}: ${notProtobuf}`)
  const text = await textOf(resolve(where.cwd, name)).catch((error: unknown) => {
    throw new CliError(exitCodes.config, `${name}: ${readFailure(error)}`)
  })
  const known = extension === '' ? 'json' : syntaxes.get(extension)
  if (!wanted && !known) {
    where.err(
      `${name}: the extension ".${extension}" is unknown; the content is taken as JSON ("-format json" says so)`,
    )
  }
  return sourceOf(name, text, wanted ?? known ?? 'json')
}

/** A plain file is read at once: Node's pool of threads is not started for it. A pipe may have to be waited for. */
const textOf = async (path: string): Promise<string> =>
  fs.statSync(path).isFile() ? fs.readFileSync(path, 'utf8') : readFile(path, 'utf8')

const failures: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read the file',
  EISDIR: 'this is a directory; give a directory with -confdir',
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
}

function readFailure(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? String(error)
  return failures[code] ?? `the file cannot be read (${code})`
}

const downloadLimits = { bytes: 5_000_000, timeoutMs: 16_000 }

async function download(url: string): Promise<SourceText> {
  const failed = (reason: string) =>
    new CliError(exitCodes.config, `${new URL(url).origin}: the configuration ${reason}`)
  const text = await fetch(url, { signal: AbortSignal.timeout(downloadLimits.timeoutMs) }).then(
    (answer) => (answer.ok ? answer.text() : Promise.reject(failed(`was answered with status ${answer.status}`))),
    (error: Error) => Promise.reject(failed(`could not be fetched (${causeOf(error)})`)),
  )
  if (text.length > downloadLimits.bytes) throw failed(`is longer than ${downloadLimits.bytes} bytes`)
  // Without the query: it may hold a password.
  return { name: new URL(url).origin + new URL(url).pathname, text }
}

const causeOf = (error: Error) => (error.cause instanceof Error ? error.cause.message : error.message)

const namesIn = (directory: string, recursive: boolean) =>
  new Promise<string[]>((resolve, reject) =>
    fs.readdir(directory, { recursive }, (error, names) => (error ? reject(error) : resolve(names as string[]))),
  )

const isFile = async (path: string) => (await stat(path).catch(() => undefined))?.isFile() === true
const isDirectory = async (path: string) => (await stat(path).catch(() => undefined))?.isDirectory() === true

/** Where the program lies: the directory of the script that was started. */
export const programDirectory = (): string => dirname(resolve(process.argv[1] ?? '.'))
